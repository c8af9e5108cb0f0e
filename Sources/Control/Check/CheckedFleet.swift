import Fleet
import Store

/// A snapshot with the look-ups that several invariants share.
struct CheckedFleet {
    let snapshot: FleetSnapshot
    /// Unreleased allocations by host.
    let liveByHost: [ID<Document>: [Allocation]]
    let allocations: [ID<Allocation>: Allocation]
    let hosts: [ID<Document>: HostRecord]
    let observations: [ID<Document>: [HostObservation]]
    let workloads: Set<ID<Document>>

    init(_ snapshot: FleetSnapshot) {
        self.snapshot = snapshot
        liveByHost = Dictionary(
            grouping: snapshot.allocations.filter(\.state.consumesCapacity), by: \.host)
        allocations = Dictionary(snapshot.allocations.map { ($0.id, $0) }) { first, _ in first }
        hosts = Dictionary(snapshot.hosts.map { ($0.id, $0) }) { first, _ in first }
        observations = Dictionary(grouping: snapshot.observations, by: \.host)
        workloads = Set(snapshot.workloads.map(\.uid))
    }

    var live: [Allocation] { snapshot.allocations.filter(\.state.consumesCapacity) }

    func name(of host: ID<Document>) -> String { "host \(hosts[host]?.name ?? host.description)" }
}

extension Allocation {
    var title: String { "allocation \(id)" }
}

extension WorkloadReference {
    var title: String { "\(kind.rawValue) \(project)/\(name) part \(part)" }
}

extension Sequence where Element: Hashable {
    /// Elements that occur more than once, each once.
    func repeated() -> Set<Element> {
        var (seen, twice): (Set<Element>, Set<Element>) = ([], [])
        for element in self where !seen.insert(element).inserted { twice.insert(element) }
        return twice
    }
}
