public import Fleet

/// Where a VM goes. Deciding takes nothing; `PlacementCell.add` of the allocation does.
public enum PlacementDecision: Sendable, Hashable {
    case place(PlacementChoice)
    case noHostFits
}

/// The host and the devices chosen for a request.
public struct PlacementChoice: Sendable, Hashable {
    /// The host chosen.
    public var host: ID<Document>
    /// Its name, for messages.
    public var hostName: String
    /// `host.generation` that the decision saw.
    public var hostGeneration: Int
    /// UUIDs of the devices, sorted.
    public var devices: [String]

    public init(host: ID<Document>, hostName: String, hostGeneration: Int, devices: [String] = []) {
        self.host = host
        self.hostName = hostName
        self.hostGeneration = hostGeneration
        self.devices = devices
    }
}

extension PlacementChoice {
    /// The reserved allocation that takes this choice.
    ///
    /// - Parameters:
    ///   - id: id of the new allocation.
    ///   - cell: name of the host's cell.
    ///   - plan: the plan that it belongs to.
    ///   - now: when it is made.
    public func allocation(
        for request: VMRequest, id: ID<Allocation>, cell: String, plan: ID<Plan>?, now: Timestamp
    ) -> Allocation {
        Allocation(
            id: id, workload: request.workload, cell: cell, host: host, class: request.class,
            resources: request.resources, devices: devices, plan: plan, onPartition: request.onPartition,
            antiAffinity: request.antiAffinity, createdAt: now)
    }
}
