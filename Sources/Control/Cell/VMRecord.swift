internal import Fleet
internal import Foundation
internal import VMPlacement

/// A VM of a cell, its documents read.
struct VMRecord: Sendable {
    var metadata: Metadata
    var spec: VMSpec
    var status: VMStatus
    /// Not queued before this time: it failed and backs off.
    var notBefore: Duration?
    /// Capacity version at which no host took it; it is not tried again until that moves.
    var blockedAt: Int?
    /// Why the ledger refused it, though a host was found.
    var refusal: Reason?
    /// Refusals in a row.
    var refusals = 0
    /// The last word on why no host took it.
    var explanation: PlacementExplanation?

    init(_ resource: Resource) throws {
        let decoder = JSONDecoder()
        metadata = resource.metadata
        spec = try decoder.decode(VMSpec.self, from: Data(resource.spec.utf8))
        status =
            resource.status == "{}"
            ? VMStatus() : try decoder.decode(VMStatus.self, from: Data(resource.status.utf8))
    }

    var reference: WorkloadReference {
        WorkloadReference(
            kind: .vm, uid: metadata.uid, project: metadata.project ?? "", name: metadata.name, part: "vm")
    }

    /// The group whose members are placed together with it, or not at all.
    var gang: ID<Document>? { spec.group?.placement == .all ? spec.group?.uid : nil }

    /// What the planner needs; nil when the flavor is gone.
    ///
    /// - Parameters:
    ///   - clock: of the fleet, by which a VM that had a host before has lived for some time.
    ///   - gang: how many members of its gang are to be placed with it; nil places it alone.
    func request(
        flavors: [String: FlavorSpec], clock: FleetClock = FleetClock(), gang count: Int? = nil
    ) -> VMRequest? {
        var resources = spec.resources
        var devices = spec.devices ?? []
        if let name = spec.flavor {
            guard let flavor = flavors[name] else { return nil }
            resources = flavor.resources
            devices = flavor.devices ?? []
        }
        guard let resources else { return nil }
        let gang = count.flatMap { count in
            spec.group.map {
                GangMember(group: $0.uid, name: $0.name, ordinal: $0.ordinal, count: count)
            }
        }
        return VMRequest(
            metadata: metadata, spec: spec, resources: resources, devices: devices,
            startedAt: status.restarts > 0 || status.allocation != nil
                ? clock.time(at: metadata.createdAt) : nil,
            gang: gang)
    }
}
