/// A round while it is decided: room, what every job would hold, and why.
struct RoundWork {
    let state: RoundState
    var room: FreeRoom
    /// In the order of the jobs of the state.
    private(set) var grants: [Grant?]
    private var causes: [ShapeChange.Cause?]
    private var beneficiaries: [Int?]
    var waits: [WaitReason] = []
    var quota: QuotaUse

    init(_ state: RoundState) {
        self.state = state
        room = state.room
        grants = state.jobs.map(\.grant)
        causes = state.jobs.map { _ in nil }
        beneficiaries = state.jobs.map { _ in nil }
        quota = QuotaUse(state.tenants)
        for job in state.jobs where job.job.isGuaranteed {
            quota.add(job.grant?.gpus ?? 0, to: job.job.tenant)
        }
        for index in state.jobs.indices {
            let isLost = grants[index]?.shares.contains { !room.isUp($0.node) } ?? false
            if isLost { assign(index, nil, .nodeLost) }
        }
    }

    var jobs: [JobState] { state.jobs }

    /// Jobs that held nothing when the round began and hold nothing now, in their order: what a job lost must
    /// be known to be lost before it is given anything else.
    var pending: [Int] { jobs.indices.filter { grants[$0] == nil && jobs[$0].grant == nil } }

    /// Jobs that hold something and may be changed.
    var movable: [Int] {
        jobs.indices.filter { index in
            guard case .running = jobs[index].phase else { return false }
            return grants[index] != nil
        }
    }

    /// Whether this round changed it already.
    func isChanged(_ index: Int) -> Bool { causes[index] != nil }

    mutating func assign(
        _ index: Int, _ grant: Grant?, _ cause: ShapeChange.Cause, for beneficiary: Int? = nil
    ) {
        let job = jobs[index].job
        if let held = grants[index] {
            room.give(held)
            if job.isGuaranteed { quota.add(-held.gpus, to: job.tenant) }
        }
        if let grant {
            room.take(grant)
            if job.isGuaranteed { quota.add(grant.gpus, to: job.tenant) }
        }
        grants[index] = grant
        causes[index] = cause
        beneficiaries[index] = beneficiary.map { jobs[$0].job.id }
    }

    /// Seconds to the end as decided so far, a restart where the shape is a new one.
    func secondsLeft(_ index: Int, restart: Double) -> Double {
        guard let grant = grants[index] else { return .infinity }
        return grant == jobs[index].grant
            ? jobs[index].secondsLeft(now: state.now) : jobs[index].seconds(grant.point, restart: restart)
    }

    /// Marks of nodes.
    func marks(_ nodes: some Sequence<Int>) -> [Bool] {
        var marks = [Bool](repeating: false, count: room.nodes.count)
        for node in nodes { marks[node] = true }
        return marks
    }

    var decision: RoundDecision {
        var freeing: [ShapeChange] = []
        var taking: [ShapeChange] = []
        for index in jobs.indices {
            guard let cause = causes[index], grants[index] != jobs[index].grant else { continue }
            let change = ShapeChange(
                job: jobs[index].job.id, to: grants[index], cause: cause, beneficiary: beneficiaries[index])
            if jobs[index].grant == nil { taking.append(change) } else { freeing.append(change) }
        }
        return RoundDecision(changes: freeing + taking, waits: waits)
    }
}
