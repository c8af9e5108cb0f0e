public import Fleet
internal import Foundation
public import Store
internal import VMPlacement

/// Answers why a VM is where it is, with the planner that placed it or would place it.
public struct PlacementExplainer: Sendable {
    /// What is known of one VM's placement.
    public struct Answer: Sendable {
        public var status: VMStatus
        /// Place in the cell's queue, 1 is next; nil when it does not wait.
        public var queuePosition: Int?
        /// nil while no cell is chosen.
        public var explanation: PlacementExplanation?
        /// When there may be room; nil when it does not wait for room.
        public var estimate: PlacementEstimate?
        /// Why the drain of its host leaves it there; nil when it does not, or its host is not drained.
        public var stays: DrainPreview.Blocked?
    }

    let store: any Store
    private let supervisor: CellSupervisor?

    /// - Parameter supervisor: asked first when the VM's cell is planned in this process.
    public init(store: any Store, supervisor: CellSupervisor?) {
        self.store = store
        self.supervisor = supervisor
    }

    public func answer(for resource: Resource) async throws -> Answer {
        let vm = try VMRecord(resource)
        guard let cell = vm.spec.cell ?? vm.status.cell else {
            return Answer(status: vm.status, queuePosition: nil, explanation: nil)
        }
        let clock = try await store.clusterState()
        let now = try await store.now()
        let fleetTime = { @Sendable (time: Timestamp) in clock.fleetTime(at: time) }
        if let pipeline = supervisor?.pipeline(of: cell) {
            var (answer, copy) = await pipeline.explain(vm)
            answer.estimate = copy?.estimate(for: vm, now: fleetTime(now), fleetTime: fleetTime)
            return answer
        }
        var model = try await model(of: cell)
        if let gang = vm.gang {
            for group in try await store.documents(.vmGroup, uids: [gang]) {
                model.put(group: try VMGroupRecord(group))
            }
            for member in try await store.members(of: [gang]) { model.put(vm: try VMRecord(member)) }
        }
        var answer = model.explain(vm, now: now)
        if answer.waitsForRoom {
            if !model.needsLifetimes { try await loadVMs(into: &model) }
            answer.estimate = model.estimate(for: vm, now: fleetTime(now), fleetTime: fleetTime)
        }
        return answer
    }

    /// Where a VM that does not exist yet would go: the dry run of a creation.
    public func trial(_ resource: Resource) async throws -> PlacementExplanation? {
        let vm = try VMRecord(resource)
        var hosts = try await store.hosts(.all)
        if let cell = vm.spec.cell { hosts.removeAll { $0.cell != cell } }
        let cells = Set(hosts.map(\.cell)).sorted()
        let now = try await store.now()
        var best: PlacementExplanation?
        for cell in cells {
            let explanation = try await model(of: cell).explain(vm, now: now).explanation
            if (explanation?.feasible ?? 0) > (best?.feasible ?? -1) { best = explanation }
        }
        return best
    }

    /// What a drain of a host with this spec would do now.
    public func drainTrial(of host: HostRecord, spec: HostSpec, now: Timestamp) async throws -> DrainPreview {
        let clock = FleetClock(try await store.clusterState())
        return try await wholeModel(of: host.cell)
            .drainPreview(host: host, spec: spec, clock: clock, now: now)
    }

    /// What a defragmentation of a pool would do now, whatever its mode; nil for a pool that is not there.
    public func defragmentationTrial(ofPool pool: String) async throws -> DefragmentationPreview? {
        guard let resource = try await store.document(.pool, project: nil, name: pool) else { return nil }
        let spec = try JSONDecoder().decode(PoolSpec.self, from: Data(resource.spec.utf8))
        let state = try await store.clusterState()
        let now = state.fleetTime(at: try await store.now())
        return try await wholeModel(of: spec.cell).defragmentationPreview(
            pool: pool, looked: CellLimits().defragmentCandidates, clock: FleetClock(state), now: now)
    }

    /// With every VM. Of a pipeline here a copy, so that it goes on while the question is answered.
    private func wholeModel(of cell: String) async throws -> CellModel {
        if let pipeline = supervisor?.pipeline(of: cell) { return await pipeline.model }
        var model = try await model(of: cell)
        if !model.needsLifetimes { try await loadVMs(into: &model) }
        return model
    }

    private func loadVMs(into model: inout CellModel) async throws {
        for resource in try await store.all(.vm, cell: model.name) { model.put(vm: try VMRecord(resource)) }
    }

    /// A model of the cell as the store holds it now; its VMs are in it only when lifetimes count, as owners'
    /// hints are with them.
    func model(of cell: String) async throws -> CellModel {
        var model = CellModel(name: cell)
        try await model.readCatalogue(from: store)
        if model.needsLifetimes {
            try await loadVMs(into: &model)
            model.modelFiles = try await ReadModel.wanted(by: model, from: store)
        }
        for host in try await store.hosts(.cell(cell)) { model.put(host: host) }
        for allocation in try await store.allocations(.cell(cell)) { model.put(allocation: allocation) }
        if model.mustFollowLifetimes {
            let reading = try await LifetimeReading(of: cell, live: Set(model.allocations.keys), from: store)
            try model.followLifetimes(reading, now: try await store.now())
        }
        return model
    }
}

extension CellPipeline {
    /// With a copy of the model where an estimate is due: its search is long, and the pipeline goes on
    /// meanwhile.
    func explain(_ vm: VMRecord) -> (answer: PlacementExplainer.Answer, copy: CellModel?) {
        let answer = model.explain(vm, now: time.now())
        return (answer, answer.waitsForRoom ? model : nil)
    }
}

extension PlacementExplainer.Answer {
    /// Whether it has no host, and none would take it now. A member of a gang waits for the others' room as
    /// well, of which an estimate for one knows nothing.
    var waitsForRoom: Bool {
        status.state == .pending && explanation?.feasible == 0 && explanation?.gang == nil
    }
}

extension CellModel {
    func explain(_ vm: VMRecord, now: Timestamp) -> PlacementExplainer.Answer {
        PlacementExplainer.Answer(
            status: vm.status, queuePosition: queuePosition(of: vm.metadata.uid),
            explanation: explanation(of: vm, now: now), stays: stayers[vm.metadata.uid])
    }

    private func explanation(of vm: VMRecord, now: Timestamp) -> PlacementExplanation? {
        // Alone it may fit where its gang does not.
        if let gang = vm.gang, byWorkload[vm.metadata.uid] == nil,
            let explanation = explainGang(gang, now: now)
        {
            return explanation
        }
        var trial = placement
        // A placed VM is explained as if it were placed now: without its own use of the fleet.
        for id in byWorkload[vm.metadata.uid] ?? [] { trial.remove(allocation: id) }
        let policy = placementPolicy(ofPool: vm.spec.pool)
        trial.advance(to: clock.time(at: now), repredicting: policy.repredicts)
        guard let request = vm.request(flavors: flavors, clock: clock) else { return nil }
        var explanation = trial.explain(request, policy: policy)
        explanation.predictor = vm.spec.pool.flatMap { predictors[$0] }
        return explanation
    }
}
