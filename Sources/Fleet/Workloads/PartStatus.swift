/// One part of a workload of several, as its status shows it.
public struct PartStatus: Sendable, Hashable, Codable {
    /// In its engine's words, such as `worker-0`.
    public var name: String
    public var allocation: ID<Allocation>
    /// Name of the host; nil when that is gone.
    public var host: String?
    public var state: Allocation.State
    /// UUIDs of the devices, sorted; nil for none.
    public var devices: [String]?

    public init(
        name: String, allocation: ID<Allocation>, host: String?, state: Allocation.State,
        devices: [String]? = nil
    ) {
        self.name = name
        self.allocation = allocation
        self.host = host
        self.state = state
        self.devices = devices
    }
}
