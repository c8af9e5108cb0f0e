import Fleet
import Foundation
import ProgramShell
import Store

/// A controller and a tenant of one cell: creates VMs and commits plans that place them.
struct Committer {
    /// So small that a whole run changes the use of the fleet by a few percent.
    private static let shape = Resources(milliCPU: 250, memoryMiB: 512)
    /// Prime, so that consecutive VMs go to hosts far apart and a plan's VMs to as many hosts.
    private static let stride = 1009

    let cell: String
    private let store: PostgresStore
    private let hosts: [HostRecord]
    private let ids = SystemSeams.ids
    private let lease: CellLease?
    private var parent: ID<Plan>?
    /// Tells the VMs of one run from those of another.
    private let tag = SystemSeams.now().microseconds
    private var made = 0
    private var waiting: [Resource] = []

    /// - Parameter leased: whether it takes the cell's lease, which only `commit` needs.
    init(cell: String, store: PostgresStore, leased: Bool = true) async throws {
        self.cell = cell
        self.store = store
        hosts = try await store.hosts(.cell(cell))
        // The whole run, so that renewals are not measured.
        lease =
            leased
            ? try await store.acquireLease(cell: cell, holder: "bench", duration: .seconds(24 * 3600)) : nil
    }

    /// Creates VMs in one transaction; they wait for a plan.
    mutating func create(_ count: Int) async throws {
        let drafts = (0..<count).map { offset in
            DocumentDraft(
                uid: ID(ids.next()), kind: .vm, project: cell, name: "new-\(tag)-\(made + offset)",
                labels: ["app": "bench"], finalizers: ["allocations"],
                spec: """
                    {"cell":"\(cell)","resources":{"memoryMiB":\(Self.shape.memoryMiB),\
                    "milliCPU":\(Self.shape.milliCPU)}}
                    """)
        }
        made += count
        let context = WriteContext(actor: "user/bench", requestID: "request", verb: "create")
        waiting += try await store.create(drafts, context: context)
    }

    /// Uids of the VMs that wait, and no longer do so for `commit`.
    mutating func takeWaiting() -> [ID<Document>] {
        defer { waiting = [] }
        return waiting.map(\.metadata.uid)
    }

    /// Places the oldest waiting VMs in one plan, a group each.
    mutating func commit(_ count: Int) async throws {
        guard let lease else { throw BenchmarkError("no lease of cell \(cell)") }
        let first = made - waiting.count
        let now = SystemSeams.now()
        var statuses: [ID<Document>: String] = [:]
        let directives = waiting.prefix(count).enumerated().map { offset, vm in
            let host = hosts[(first + offset) * Self.stride % hosts.count]
            let directive = allocate(vm, on: host, now: now)
            statuses[vm.metadata.uid] = status(directive, host: host.name)
            return directive
        }
        waiting.removeFirst(directives.count)
        let plan = Plan(
            id: ID(ids.next()), cell: cell, engine: .vmPlacement, parent: parent, inputsHash: "bench",
            seed: 1,
            groups: directives.map { DirectiveGroup([.allocate($0)]) },
            report: PlanReport(policy: "best-fit", hosts: hosts.count, placed: count, unplaced: []),
            createdAt: now)
        let outcome = try await store.commit(LedgerCommit(lease: lease, plan: plan, statuses: statuses))
        guard outcome.refusals.isEmpty else {
            throw BenchmarkError("a plan was refused in part: \(outcome.refusals[0])")
        }
        parent = plan.id
    }

    private func allocate(_ vm: Resource, on host: HostRecord, now: Timestamp) -> AllocateDirective {
        let workload = WorkloadReference(
            kind: .vm, uid: vm.metadata.uid, project: cell, name: vm.metadata.name, part: "vm")
        let allocation = Allocation(
            id: ID(ids.next()), workload: workload, cell: cell, host: host.id, class: .standard,
            resources: Self.shape, onPartition: .keep, createdAt: now)
        return AllocateDirective(
            allocation: allocation, workloadGeneration: vm.metadata.generation,
            hostGeneration: host.generation,
            message: "placed on \(host.name)")
    }

    /// As long as the status that a pipeline writes.
    private func status(_ directive: AllocateDirective, host: String) -> String {
        let time = directive.allocation.createdAt
        return """
            {"allocation":"\(directive.allocation.id)","cell":"\(cell)","conditions":[{"lastTransitionTime":\
            "\(time)","message":"placed on \(host)","reason":"Scheduled","status":"True",\
            "type":"Scheduled"}],\
            "host":"\(host)","observedGeneration":1,"restarts":0,"scheduledAt":"\(time)","state":"Scheduled"}
            """
    }
}
