/// Jobs one after another as they were submitted: no job is ever moved.
public struct QueuePolicy: TrainingPolicy, Hashable {
    public enum Order: String, Sendable, Hashable, Codable {
        /// By submission.
        case submission
        /// By the time that is left, which the number of steps tells.
        case shortest
    }

    public enum Filling: String, Sendable, Hashable, Codable {
        /// Nobody passes a job that does not fit.
        case strict
        /// Everybody does.
        case greedy
        /// Only who does not delay the first job that does not fit.
        case reserved
    }

    public var order: Order
    public var filling: Filling
    /// Seconds from a grant to the first step.
    public var restart: Double

    public init(_ order: Order, _ filling: Filling, restart: Double = 78) {
        self.order = order
        self.filling = filling
        self.restart = restart
    }

    public func round(_ state: RoundState) -> RoundDecision {
        var work = RoundWork(state)
        var reservations = Reservations(nodes: state.room.nodes.count)
        for index in queue(work) {
            let job = work.jobs[index]
            let point = job.job.submitted
            let end = state.now + job.seconds(point, restart: restart)
            if let grant = work.room.place(point, reservations.allowed(until: end)) {
                work.assign(index, grant, reservations.isEmpty ? .admitted : .backfilled)
                continue
            }
            work.waits.append(work.reason(job.job, holding: !reservations.isEmpty))
            if filling == .strict { break }
            guard filling == .reserved, reservations.isEmpty else { continue }
            let calendar = ReleaseCalendar(work, restart: restart)
            if let found = calendar.earliest(job, options: [point], restart: restart, .all) {
                reservations.add(found.grant, at: found.start)
            }
        }
        return work.decision
    }

    private func queue(_ work: RoundWork) -> [Int] {
        switch order {
        case .submission: work.bySubmission(work.pending)
        case .shortest:
            work.pending.map { ($0, work.jobs[$0].seconds(work.jobs[$0].job.submitted, restart: 0)) }
                .sorted { $0.1 != $1.1 ? $0.1 < $1.1 : $0.0 < $1.0 }.map(\.0)
        }
    }
}

extension RoundWork {
    func bySubmission(_ indices: [Int]) -> [Int] {
        indices.sorted {
            let (lhs, rhs) = (jobs[$0].job, jobs[$1].job)
            return lhs.submittedAt != rhs.submittedAt ? lhs.submittedAt < rhs.submittedAt : lhs.id < rhs.id
        }
    }

    /// Why a job that takes one shape only does not start.
    func reason(_ job: TrainingJob, holding: Bool = false) -> WaitReason {
        let point = job.submitted
        let token: WaitReason.Token
        if point.gpus > room.totalGPUs {
            token = .noFeasiblePlan
        } else if point.gpus > room.freeGPUs {
            token = .waitingForCapacity
        } else {
            token = holding && room.place(point) != nil ? .heldForReservation : .fragmentedNeed
        }
        return WaitReason(
            job: job.id, token: token, shortfallGPUs: max(0, point.gpus - room.freeGPUs),
            needs: point.placement)
    }

    /// Gives everyone in turn its submitted shape, and takes everything from those who come too late.
    ///
    /// A job keeps its nodes while it keeps its turn. Jobs that start are neither moved nor stopped.
    mutating func rotate(_ turn: [Int]) {
        let movable = Set(self.movable)
        var free = room
        for index in movable { if let held = grants[index] { free.give(held) } }
        var kept: [Int] = []
        var starts: [(Int, Grant)] = []
        for index in turn where grants[index] == nil || movable.contains(index) {
            if let held = grants[index], free.holds(held) {
                free.take(held)
                kept.append(index)
            } else if let grant = free.place(jobs[index].job.submitted) {
                free.take(grant)
                starts.append((index, grant))
            } else if grants[index] == nil {
                waits.append(reason(jobs[index].job))
            }
        }
        let staying = Set(kept + starts.map(\.0))
        for index in movable.sorted() where !staying.contains(index) { assign(index, nil, .evicted) }
        for (index, _) in starts where grants[index] != nil { assign(index, nil, .evicted) }
        for (index, grant) in starts { assign(index, grant, .admitted) }
    }
}

extension FreeRoom {
    /// Whether a grant could be taken where it is.
    func holds(_ grant: Grant) -> Bool {
        grant.shares.allSatisfy { isUp($0.node) && gpus[$0.node] >= $0.gpus }
    }
}
