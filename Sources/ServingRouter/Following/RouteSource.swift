public import Fleet

/// Where routes come from.
public protocol RouteSource: Sendable {
    /// Waits for routes other than those held.
    ///
    /// - Parameter held: nil when the router has none.
    /// - Returns: nil when the wait ended without other ones; it is asked again.
    func next(after held: ServingRoutes?) async throws -> ServingRoutes?
}

/// Why routes cannot be followed.
public struct RouteError: Error, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
