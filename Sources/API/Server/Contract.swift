internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// The contract that clients are written against; tests compare it with the routes and the routes with it.
package enum Contract {
    /// OpenAPI 3.1, YAML.
    package static let text = String(decoding: PackageResources.openapi_yaml, as: UTF8.self)

    static var response: Response {
        JSONAnswer.response(text, headers: [.cacheControl: "no-cache"], type: "application/yaml")
    }
}
