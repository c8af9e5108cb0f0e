internal import APITypes
internal import Fleet
internal import Foundation
internal import Hummingbird
internal import NIOCore
internal import Store

/// How answers are written: JSON with sorted keys, documents around their stored text.
enum JSONAnswer {
    static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    static func document(_ resource: Resource) throws -> String {
        let metadata = try text(resource.metadata)
        return """
            {"apiVersion":"\(WireDocument.apiVersion)","kind":"\(resource.kind.rawValue)","metadata":\(metadata),\
            "spec":\(resource.spec),"status":\(resource.status)}
            """
    }

    static func response(
        _ text: String, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:],
        type: String = "application/json"
    ) -> Response {
        var headers = headers
        headers[.contentType] = type
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(string: text)))
    }

    static func response(
        _ value: some Encodable, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) throws -> Response {
        response(try text(value), status: status, headers: headers)
    }

    /// A document with its entity tag.
    static func response(_ resource: Resource, status: HTTPResponse.Status = .ok) throws -> Response {
        response(
            try document(resource), status: status, headers: [.eTag: "\"\(resource.metadata.entityTag)\""])
    }

    static func list(_ items: [String], nextCursor: String?, resourceVersion: String) throws -> Response {
        let next = try nextCursor.map { ",\"nextCursor\":\(try text($0))" } ?? ""
        return response(
            "{\"items\":[\(items.joined(separator: ","))]\(next),\"resourceVersion\":\(try text(resourceVersion))}"
        )
    }
}
