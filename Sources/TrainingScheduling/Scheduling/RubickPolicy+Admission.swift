internal import Foundation

extension RubickPolicy {
    /// Waiting jobs, one after another, each with what those before it left and keep.
    struct Admission {
        private let settings: Settings
        private let weight: Double
        private(set) var reservations: Reservations
        /// Placements that had no room; room only shrinks until a job gives some up.
        private var unplaceable: Set<[Int]> = []
        private var calendar: ReleaseCalendar?

        init(_ settings: Settings, _ work: RoundWork) {
            self.settings = settings
            reservations = Reservations(nodes: work.room.nodes.count)
            let wanted = work.pending.reduce(0) { sum, index in
                let job = work.jobs[index].job
                return sum + (job.options.first { $0.work <= job.leastWork }?.gpus ?? 0)
            }
            weight = wanted > work.room.freeGPUs ? settings.busyWeight : settings.idleWeight
        }

        mutating func admit(_ index: Int, _ work: inout RoundWork) {
            let state = work.jobs[index]
            let options: [SpeedPoint]
            switch Self.affordable(state.job, work) {
            case .success(let found): options = found
            case .failure(let refusal):
                work.waits.append(refusal.reason)
                return
            }
            let mayReserve = reservations.entries.count < settings.reservations
            let found = best(state, options, work)
            if let found, !mayReserve || !waits(state, options, found, work) {
                let isFirst = reservations.isEmpty
                work.assign(index, found, isFirst ? .admitted : .backfilled)
                calendar = nil
                return
            }
            guard mayReserve else {
                work.waits.append(reason(state, options, work))
                return
            }
            var refusal: WaitReason.Token?
            if found == nil {
                let reclaim = Reclaim(settings, work, index, options, earliest(state, options, work))
                if let plan = reclaim.plan {
                    plan.apply(&work)
                    unplaceable = []
                    calendar = nil
                    return
                }
                refusal = reclaim.refusal
            }
            reserve(state, options, refusal ?? .reserved, &work)
        }

        /// Options that the quota has room for; a best-effort job needs none.
        private static func affordable(
            _ job: TrainingJob, _ work: RoundWork
        ) -> Result<[SpeedPoint], Refusal> {
            let total = work.room.totalGPUs
            let possible = job.options.filter { $0.gpus <= total }
            guard let least = possible.map(\.gpus).min() else {
                let missing = max(0, job.leastGPUs - total)
                return .failure(.init(job, .noFeasiblePlan, missing))
            }
            guard job.isGuaranteed else { return .success(possible) }
            let most = work.quota.most(job.tenant)
            guard least <= most else { return .failure(.init(job, .exceedsMaxQuota, least - most)) }
            let room = work.quota.room(job.tenant)
            guard least <= room else { return .failure(.init(job, .waitingForQuota, least - room)) }
            return .success(possible.filter { $0.gpus <= room })
        }

        private struct Refusal: Error {
            var reason: WaitReason

            init(_ job: TrainingJob, _ token: WaitReason.Token, _ shortfall: Int) {
                let least = job.options.min { $0.gpus < $1.gpus }
                reason = WaitReason(
                    job: job.id, token: token, shortfallGPUs: shortfall, needs: least?.placement ?? [])
            }
        }

        /// The shape of the least cost of those that fit beside what is kept.
        private mutating func best(
            _ state: JobState, _ options: [SpeedPoint], _ work: RoundWork
        ) -> Grant? {
            var best: (cost: Double, grant: Grant)?
            for point in options where !unplaceable.contains(point.placement) {
                let seconds = state.seconds(point, restart: settings.restart)
                let cost = seconds * pow(Double(point.gpus), weight)
                guard cost < best?.cost ?? .infinity else { continue }
                let allowed = reservations.allowed(until: work.state.now + seconds)
                if let grant = work.room.place(point, allowed) {
                    best = (cost, grant)
                } else if case .all = allowed {
                    unplaceable.insert(point.placement)
                } else if work.room.place(point) == nil {
                    unplaceable.insert(point.placement)
                }
            }
            return best?.grant
        }

        private mutating func earliest(
            _ state: JobState, _ options: [SpeedPoint], _ work: RoundWork
        ) -> (start: Double, end: Double, grant: Grant)? {
            let calendar = self.calendar ?? ReleaseCalendar(work, restart: settings.restart)
            self.calendar = calendar
            return calendar.earliest(
                state, options: efficient(state, options), restart: settings.restart, reservations.untouched)
        }

        /// Without shapes that waste what they hold: room is not kept for those.
        private func efficient(_ state: JobState, _ options: [SpeedPoint]) -> [SpeedPoint] {
            let limit = 1.5 * (options.map(\.work).min() ?? 0)
            return options.filter { $0.work <= limit }
        }

        /// Whether a better shape later ends before, and costs less than, the one that fits now.
        private mutating func waits(
            _ state: JobState, _ options: [SpeedPoint], _ now: Grant, _ work: RoundWork
        ) -> Bool {
            // Only what is faster and cheaper at once is worth waiting for: seldom, and dear to look for.
            let isWorth = options.contains {
                $0.secondsPerStep < now.point.secondsPerStep && $0.work < now.point.work
            }
            guard isWorth, let later = earliest(state, options, work), later.start > work.state.now else {
                return false
            }
            let end = work.state.now + state.seconds(now.point, restart: settings.restart)
            return later.end < end && later.grant.point.work < now.point.work
        }

        private mutating func reserve(
            _ state: JobState, _ options: [SpeedPoint], _ token: WaitReason.Token, _ work: inout RoundWork
        ) {
            guard let found = earliest(state, options, work) else {
                work.waits.append(reason(state, options, work))
                return
            }
            reservations.add(found.grant, at: found.start)
            work.waits.append(
                WaitReason(
                    job: state.job.id, token: token,
                    shortfallGPUs: max(0, found.grant.gpus - work.room.freeGPUs),
                    needs: found.grant.point.placement, startsAt: found.start))
        }

        /// Why nothing fits, in the terms of the shape that needs the fewest GPUs.
        private func reason(
            _ state: JobState, _ options: [SpeedPoint], _ work: RoundWork
        ) -> WaitReason {
            let least = options.min(by: SpeedPoint.precedes)
            let needs = least?.placement ?? []
            let gpus = least?.gpus ?? 0
            let free = work.room.freeGPUs
            let token: WaitReason.Token
            if gpus > free {
                token = .waitingForCapacity
            } else if let least, work.room.place(least) != nil {
                token = .heldForReservation
            } else {
                token = .fragmentedNeed
            }
            return WaitReason(
                job: state.job.id, token: token, shortfallGPUs: max(0, gpus - free), needs: needs)
        }
    }
}
