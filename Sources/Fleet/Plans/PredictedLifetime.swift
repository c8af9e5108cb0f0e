/// What was predicted of a VM when it got its host. It is committed with the allocation, so that what
/// placement by lifetimes knows of a host follows from what is durable.
public struct PredictedLifetime: Sendable, Hashable, Codable {
    /// When the host was chosen, on the fleet clock.
    public var at: Timestamp
    /// When the VM started, on the fleet clock: before `at` if it had another host before.
    public var startedAt: Timestamp
    /// Its end by the prediction made for its start.
    public var exit: Timestamp
    /// Class of what was left of it at `at`: 1 is below 1 h, 2 to 10 h, 3 to 100 h, 4 longer.
    public var lifetimeClass: Int
    /// Whether the host was nearly full with it.
    public var fillsHost: Bool

    public init(at: Timestamp, startedAt: Timestamp, exit: Timestamp, lifetimeClass: Int, fillsHost: Bool) {
        self.at = at
        self.startedAt = startedAt
        self.exit = exit
        self.lifetimeClass = lifetimeClass
        self.fillsHost = fillsHost
    }
}
