/// When a VM that waits for room may get it.
public struct PlacementEstimate: Sendable, Hashable, Codable {
    /// Fleet time at which a host has room if VMs end when their lifetime hints say; nil when no hint makes
    /// room.
    public var at: Timestamp?
    /// Host that has room then.
    public var host: String?
    /// One sentence for people.
    public var message: String

    public init(at: Timestamp?, host: String?, message: String) {
        self.at = at
        self.host = host
        self.message = message
    }
}
