/// One observed aspect of a document, with the reason in a closed vocabulary.
public struct Condition: Sendable, Hashable, Codable {
    public enum Status: String, Sendable, Hashable, Codable, CaseIterable {
        case yes = "True"
        case no = "False"
        case unknown = "Unknown"
    }

    public enum Aspect: String, Sendable, Hashable, Codable, CaseIterable {
        /// The workload has an allocation.
        case scheduled = "Scheduled"
        /// The agent reported that it runs.
        case running = "Running"
        /// The host's session renews its lease.
        case ready = "Ready"
        /// Something keeps the controllers from fencing the host.
        case held = "Held"
        /// The host is empty, as its drain asks.
        case drained = "Drained"
        /// The guard of the host's cores acts; while it is true the host takes no more VMs.
        case guarded = "Guarded"
        /// The controllers fence lost hosts of the cell by themselves.
        case healing = "Healing"
        /// Every member of the group is as its template says now.
        case upToDate = "UpToDate"
        /// Nothing is known against the host's devices.
        case devicesHealthy = "DevicesHealthy"
        /// The host is out of service to be mended.
        case repair = "Repair"
    }

    public var type: Aspect
    public var status: Status
    public var reason: Reason
    public var message: String
    public var lastTransitionTime: Timestamp

    public init(type: Aspect, status: Status, reason: Reason, message: String, lastTransitionTime: Timestamp)
    {
        self.type = type
        self.status = status
        self.reason = reason
        self.message = message
        self.lastTransitionTime = lastTransitionTime
    }
}

extension [Condition] {
    /// Replaces the condition of the same type; the transition time moves only when the status does.
    public mutating func set(_ condition: Condition) {
        guard let index = firstIndex(where: { $0.type == condition.type }) else {
            append(condition)
            return
        }
        var next = condition
        if self[index].status == condition.status { next.lastTransitionTime = self[index].lastTransitionTime }
        self[index] = next
    }
}
