internal import Foundation

extension RESTClient {
    /// What the controller that answers says of itself, in Prometheus' text format.
    public func metricsPage() async throws -> String {
        String(decoding: try await send(.get(.metrics)).body, as: UTF8.self)
    }
}
