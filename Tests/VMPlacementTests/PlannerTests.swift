import Fleet
import Testing
import VMPlacement

@Suite struct PlannerTests {
    @Test(arguments: [11, 12, 13] as [UInt64])
    func aBatchEqualsPlacingOneByOne(seed: UInt64) {
        var fleet = RandomFleet(seed: seed, hosts: 8)
        let pending = (0..<200).map { _ in fleet.randomRequest() }
        let (plan, after) = VMPlacementPlanner.plan(
            cell: PlacementCell(fleet.hosts), pending: pending, inputs: .init(now: epoch), ids: CountingIDs())
        var cell = PlacementCell(fleet.hosts)
        var expected: [String: ID<Document>] = [:]
        let queue = pending.sorted { ($0.queuedAt, $0.workload.uid) < ($1.queuedAt, $1.workload.uid) }
        for (number, request) in queue.enumerated() {
            expected[request.workload.name] = cell.commit(request, .bestFit, as: number)?.host
        }
        let planned = plan.groups.flatMap(\.directives).compactMap { directive -> (String, ID<Document>)? in
            guard case .allocate(let directive) = directive else { return nil }
            return (directive.allocation.workload.name, directive.allocation.host)
        }
        #expect(Dictionary(uniqueKeysWithValues: planned) == expected, "seed \(seed)")
        #expect(plan.report.placed == expected.count, "seed \(seed)")
        #expect(plan.report.unplaced.count == pending.count - expected.count, "seed \(seed)")
        #expect(after.packing == cell.packing, "seed \(seed)")
    }

    @Test func aPlanCarriesWhatItsCommitVerifies() {
        var host = makeHost(1)
        host.generation = 7
        var request = makeRequest()
        request.workloadGeneration = 3
        request.onPartition = .stop
        let parent = ID<Plan>(uuid(77))
        let inputs = PlacementPlanInputs(policy: .firstFit, now: epoch, seed: 5, parent: parent)
        let (plan, _) = VMPlacementPlanner.plan(
            cell: PlacementCell([host]), pending: [request], inputs: inputs, ids: CountingIDs())
        #expect(plan.id == ID(uuid(1, kind: 9)) && plan.parent == parent && plan.seed == 5)
        #expect(plan.engine == .vmPlacement && plan.cell == "c" && plan.inputsHash.count == 16)
        let allocation = Allocation(
            id: ID(uuid(2, kind: 9)), workload: request.workload, cell: "c", host: host.id, class: .standard,
            resources: request.resources, plan: plan.id, onPartition: .stop, createdAt: epoch)
        let directive = AllocateDirective(
            allocation: allocation, workloadGeneration: 3, hostGeneration: 7,
            message: "placed on host h-1 by first-fit")
        #expect(plan.groups == [DirectiveGroup([.allocate(directive)])])
    }

    @Test func aPlanStopsAtItsLimitAndKeepsTheQueuesOrder() {
        var late = makeRequest(1)
        late.queuedAt = epoch.advanced(by: .seconds(1))
        let pending = [late, makeRequest(3), makeRequest(2)]
        let inputs = PlacementPlanInputs(now: epoch, maxGroups: 2)
        let (plan, cell) = VMPlacementPlanner.plan(
            cell: PlacementCell([makeHost(1)]), pending: pending, inputs: inputs, ids: CountingIDs())
        #expect(names(plan) == ["vm-2", "vm-3"])
        #expect(cell.allocationCount == 2 && plan.report.unplaced.isEmpty)
    }

    @Test func equalRequestsShareOneExplanation() {
        let pending = (1...1000).map { makeRequest($0, vCPU: 65) }
        let (plan, _) = VMPlacementPlanner.plan(
            cell: PlacementCell((1...50).map { makeHost($0) }), pending: pending, inputs: .init(now: epoch),
            ids: CountingIDs())
        #expect(plan.groups.isEmpty && plan.report.unplaced.count == 1000)
        #expect(Set(plan.report.unplaced.map(\.explanation)).count == 1)
        #expect(
            plan.report.unplaced.first?.explanation.sentence == "0 of 50 hosts fit: 50 InsufficientCPU")
    }

    @Test func aPoolsOwnPolicyPlacesWhatNamesThePool() {
        let hosts = [makeHost(1), makeHost(2)]
        let cell = PlacementCell(hosts, [makeAllocation(1, of: makeRequest(), on: 2)])
        var named = makeRequest(5)
        named.pool = "general"
        let inputs = PlacementPlanInputs(poolPolicies: ["general": .firstFit], now: epoch)
        let (plan, _) = VMPlacementPlanner.plan(
            cell: cell, pending: [named], inputs: inputs, ids: CountingIDs())
        #expect(hostsOf(plan) == [hostID(1)])
        let (other, _) = VMPlacementPlanner.plan(
            cell: cell, pending: [makeRequest(5)], inputs: inputs, ids: CountingIDs())
        #expect(hostsOf(other) == [hostID(2)])
    }

    @Test func thePlanNamesTheDocumentsThatItWentBy() {
        let cell = PlacementCell([makeHost(1), makeHost(2)])
        var named = makeRequest(5)
        named.pool = "general"
        let document = PolicyVersion(name: "dense", version: 2)
        let inputs = PlacementPlanInputs(
            poolPolicies: ["general": .firstFit, "idle": .waste],
            poolDocuments: ["general": document, "idle": PolicyVersion(name: "idle", version: 1)], now: epoch)
        func plan(_ inputs: PlacementPlanInputs, _ request: VMRequest) -> Plan {
            VMPlacementPlanner.plan(cell: cell, pending: [request], inputs: inputs, ids: CountingIDs()).plan
        }
        let made = plan(inputs, named)
        #expect(made.report.policies == [.init(pool: "general", policy: document)])
        guard case .allocate(let directive)? = made.groups.first?.directives.first else {
            Issue.record("nothing is placed")
            return
        }
        #expect(directive.message.hasSuffix(" by first-fit (policy dense version 2)"))
        #expect(plan(inputs, makeRequest(5)).report.policies == nil)
        var next = inputs
        next.poolDocuments["general"]?.version = 3
        #expect(plan(next, named).inputsHash != made.inputsHash)
    }

    @Test func theHashMovesWithWhatThePlanDependsOn() {
        func hash(_ cell: PlacementCell, _ inputs: PlacementPlanInputs, _ pending: [VMRequest]) -> String {
            VMPlacementPlanner.plan(cell: cell, pending: pending, inputs: inputs, ids: CountingIDs())
                .plan.inputsHash
        }
        let host = makeHost(1)
        var changed = host
        changed.generation = 2
        let used = PlacementCell([host], [makeAllocation(1, of: makeRequest(), on: 1)])
        let inputs = PlacementPlanInputs(now: epoch)
        let first = PlacementPlanInputs(policy: .firstFit, now: epoch)
        let hashes = [
            hash(PlacementCell([host]), inputs, []), hash(PlacementCell([changed]), inputs, []),
            hash(used, inputs, []), hash(PlacementCell([host]), first, []),
            hash(PlacementCell([host]), inputs, [makeRequest()]),
        ]
        #expect(Set(hashes).count == hashes.count)
        #expect(
            hash(PlacementCell([host]), PlacementPlanInputs(now: Timestamp(microseconds: 9)), []) == hashes[0]
        )
    }

    private func allocations(_ plan: Plan) -> [Allocation] {
        plan.groups.flatMap(\.directives).compactMap {
            guard case .allocate(let directive) = $0 else { return nil }
            return directive.allocation
        }
    }

    private func names(_ plan: Plan) -> [String] { allocations(plan).map(\.workload.name) }
    private func hostsOf(_ plan: Plan) -> [ID<Document>] { allocations(plan).map(\.host) }
}
