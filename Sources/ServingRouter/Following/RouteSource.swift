public import Fleet

/// Where routes come from.
public protocol RouteSource: Sendable {
    /// Waits for routes other than those held.
    ///
    /// - Parameter held: nil when the router has none.
    /// - Returns: nil when the wait ended without other ones; it is asked again.
    func next(after held: ServingRoutes?) async throws -> ServingRoutes?

    /// Takes what the router saw.
    func take(_ report: ServingReport) async throws
}

extension RouteSource {
    /// Most sources want to know nothing.
    public func take(_ report: ServingReport) async throws {}
}

/// Why routes cannot be followed.
public struct RouteError: Error, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
