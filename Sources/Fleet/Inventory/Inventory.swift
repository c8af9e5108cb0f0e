/// Where a host stands: what fails together.
public struct FailureDomain: Sendable, Hashable, Codable {
    public var zone: String
    public var rack: String

    public init(zone: String = "", rack: String = "") {
        self.zone = zone
        self.rack = rack
    }
}

/// One GPU.
public struct Device: Sendable, Hashable, Codable {
    public enum Health: String, Sendable, Hashable, Codable, CaseIterable {
        case healthy, degraded, failed
        /// It was there, and its driver does not tell any more.
        case unknown
    }

    /// The vendor's stable id, such as `GPU-…`; unique in the fleet.
    public var uuid: String
    public var model: String
    public var memoryMiB: Int
    public var numaNode: Int?
    /// Devices of one domain reach each other over NVLink.
    public var nvlinkDomain: String?
    public var health: Health
    /// What is known against it; nil when nothing is.
    public var verdict: DeviceVerdict?

    public init(
        uuid: String, model: String, memoryMiB: Int, numaNode: Int? = nil, nvlinkDomain: String? = nil,
        health: Health = .healthy, verdict: DeviceVerdict? = nil
    ) {
        self.verdict = verdict
        self.uuid = uuid
        self.model = model
        self.memoryMiB = memoryMiB
        self.numaNode = numaNode
        self.nvlinkDomain = nvlinkDomain
        self.health = health
    }
}

/// What an agent found on a machine.
public struct HostInventory: Sendable, Hashable, Codable {
    public var capacity: Resources
    /// Kept from workloads: kernel, agent, shims.
    public var reserved: Resources
    public var devices: [Device]
    public var domain: FailureDomain
    /// Facts of the machine usable in `hostSelector`, such as `cpu.vendor`.
    public var labels: [String: String]
    public var substrate: String
    /// Of a real machine.
    public var machine: MachineFacts?

    public init(
        capacity: Resources, reserved: Resources = .zero, devices: [Device] = [],
        domain: FailureDomain = .init(),
        labels: [String: String] = [:], substrate: String, machine: MachineFacts? = nil
    ) {
        self.capacity = capacity
        self.reserved = reserved
        self.devices = devices
        self.domain = domain
        self.labels = labels
        self.substrate = substrate
        self.machine = machine
    }
}
