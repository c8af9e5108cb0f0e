internal import Fleet
internal import Foundation
internal import Store

/// A workload whose engine names its parts, as the pipeline of its cell knows it.
///
/// What the ledger does with parts is the same for all kinds; a kind says only what its status makes of them.
protocol PartedWorkload: CellSeeker {
    /// What its plans are committed under.
    static var engine: Plan.Engine { get }

    /// What it asks of the cell that it is given.
    var wish: CellWish { get }
    /// Allocations that its status names.
    var named: [ID<Allocation>] { get }

    /// Takes over what this process knows beside the document.
    mutating func inherit(from known: any PartedWorkload)

    /// A part of it is released; told again after a restart, while the status still names it.
    ///
    /// - Parameter wasAsked: whether it was asked to end, as far as this process knows.
    mutating func ended(_ allocation: Allocation, wasAsked: Bool)

    /// The ledger refused a plan for it.
    mutating func refused(_ reason: Reason, now: Timestamp)

    /// Its status, given what the ledger holds of it.
    ///
    /// - Parameter parts: unreleased allocations that write for it, by part.
    /// - Returns: nil when the document says so already.
    func settled(_ parts: [PartView], now: Timestamp) throws -> Settlement?
}

/// A new status, and what is told of it beside what the ledger tells.
struct Settlement {
    var status: String
    var event: (reason: Reason, message: String)?
}

/// A part as the ledger has it, with its host.
struct PartView: Sendable {
    var allocation: Allocation
    var host: String?
    var contact: HostContact
    /// Whether the breaker keeps the host from being fenced.
    var isHeld: Bool

    var status: PartStatus {
        PartStatus(
            name: allocation.workload.part, allocation: allocation.id, host: host, state: allocation.state,
            devices: allocation.devices.isEmpty ? nil : allocation.devices)
    }
}

/// The kinds that engines make parts for.
enum PartedKinds {
    static let all: [any PartedWorkload.Type] = [TrainingJobRecord.self, ServingDeploymentRecord.self]

    static func record(of resource: Resource) throws -> (any PartedWorkload)? {
        try all.first { $0.kind == resource.kind }?.init(resource)
    }

    static func contains(_ kind: Kind) -> Bool { all.contains { $0.kind == kind } }
}

extension PartedWorkload {
    var uid: ID<Document> { metadata.uid }
    var kind: Kind { Self.kind }
    var engine: Plan.Engine { Self.engine }

    func reference(part: String) -> WorkloadReference {
        WorkloadReference(
            kind: Self.kind, uid: metadata.uid, project: metadata.project ?? "", name: metadata.name,
            part: part)
    }

    static func decoded<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
        try JSONDecoder().decode(type, from: Data(text.utf8))
    }
}
