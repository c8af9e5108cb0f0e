internal import Foundation

/// The best set of GPU counts by an exact search, over the shapes of the submitted strategy (Sia, SOSP 2023).
public struct SiaPolicy: TrainingPolicy, Hashable {
    /// Fairness: below 0, the gain of the worst off counts most.
    public var power: Double
    /// Cost of a job without anything.
    public var idleCost: Double
    /// Seconds that a change of shape takes.
    public var restart: Double
    /// Jobs that are looked at, oldest first: the search is a table of jobs by GPUs.
    public var jobLimit: Int

    public init(power: Double = -0.5, idleCost: Double = 1.1, restart: Double = 78, jobLimit: Int = 256) {
        self.power = power
        self.idleCost = idleCost
        self.restart = restart
        self.jobLimit = jobLimit
    }

    public func round(_ state: RoundState) -> RoundDecision {
        var work = RoundWork(state)
        let movable = Set(work.movable)
        let members = Array(
            work.bySubmission(work.jobs.indices.filter { work.grants[$0] == nil || movable.contains($0) })
                .prefix(jobLimit))
        let held = movable.reduce(0) { $0 + (work.grants[$1]?.gpus ?? 0) }
        let chosen = choice(members, work, gpus: work.room.freeGPUs + held)
        apply(chosen, &work)
        for index in work.pending { work.waits.append(work.reason(work.jobs[index].job)) }
        return work.decision
    }

    /// `cost[gpus]` of the jobs so far, each with its cheapest count within what is left.
    private func choice(_ members: [Int], _ work: RoundWork, gpus: Int) -> [(Int, SpeedPoint?)] {
        var cost = [Double](repeating: 0, count: gpus + 1)
        var picks: [[Int]] = []
        let menus = members.map { menu(work.jobs[$0], now: work.state.now) }
        for menu in menus {
            var next = cost.map { $0 + idleCost }
            var pick = [Int](repeating: -1, count: gpus + 1)
            for (position, item) in menu.enumerated() where item.point.gpus <= gpus {
                for total in item.point.gpus...gpus
                where cost[total - item.point.gpus] + item.cost < next[total] {
                    next[total] = cost[total - item.point.gpus] + item.cost
                    pick[total] = position
                }
            }
            cost = next
            picks.append(pick)
        }
        var left = gpus
        var chosen: [(Int, SpeedPoint?)] = []
        for position in members.indices.reversed() {
            let pick = picks[position][left]
            let point = pick >= 0 ? menus[position][pick].point : nil
            left -= point?.gpus ?? 0
            chosen.append((members[position], point))
        }
        return chosen.reversed()
    }

    /// Speeds over the least of the job's own, dearer where they need a restart the job is too young for.
    private func menu(_ state: JobState, now: Double) -> [(point: SpeedPoint, cost: Double)] {
        let slowest = state.job.options.map(\.secondsPerStep).max() ?? 1
        let age = now - state.job.submittedAt
        let worth = age < restart ? 1 : max(age - Double(state.restarts) * restart, 0) / (age + restart)
        var seen: Set<Int> = []
        return state.job.options.compactMap { point in
            // Fastest first: further placements of the same count are slower.
            guard seen.insert(point.gpus).inserted else { return nil }
            let isHeld = state.grant?.gpus == point.gpus
            let speed = slowest / point.secondsPerStep * Double(state.job.leastGPUs)
            let factor = isHeld || state.grant == nil ? 1 : max(worth, 1e-4)
            return (point, min((pow(speed * factor, power) * 100).rounded() / 100, 3000))
        }
    }

    /// Jobs whose count stays keep their nodes; the others are placed anew, the largest first.
    private func apply(_ chosen: [(Int, SpeedPoint?)], _ work: inout RoundWork) {
        let changed = chosen.filter { $0.1?.gpus != work.grants[$0.0]?.gpus }
        for (index, _) in changed where work.grants[index] != nil { work.assign(index, nil, .evicted) }
        let order = changed.sorted {
            ($0.1?.gpus ?? 0) != ($1.1?.gpus ?? 0) ? ($0.1?.gpus ?? 0) > ($1.1?.gpus ?? 0) : $0.0 < $1.0
        }
        for (index, point) in order {
            guard let point else { continue }
            let state = work.jobs[index]
            // What it had is better than nothing where fragments leave no room for more.
            let tries = [point] + (state.grant.map { [$0.point] } ?? [])
            if let grant = work.room.place(firstOf: tries) {
                work.assign(index, grant, state.grant == nil ? .admitted : .expanded)
            }
        }
    }
}
