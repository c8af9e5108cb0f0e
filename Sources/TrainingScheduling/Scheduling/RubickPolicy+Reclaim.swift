extension RubickPolicy {
    /// Makes room for a job by making others smaller, where all together end sooner for it.
    struct Reclaim {
        /// Chance that a checkpoint before a change of shape fails, and all since the last one is lost.
        private let checkpointRisk = 0.1
        /// Who gives up what, and what the job gets.
        struct Plan {
            fileprivate var victims: [(index: Int, grant: Grant?)]
            fileprivate var beneficiary: Int
            fileprivate var grant: Grant

            func apply(_ work: inout RoundWork) {
                for victim in victims {
                    work.assign(
                        victim.index, victim.grant, victim.grant == nil ? .evicted : .shrunk, for: beneficiary
                    )
                }
                work.assign(beneficiary, grant, .admitted)
            }
        }

        /// nil where nothing is worth it.
        private(set) var plan: Plan?
        /// What stood in the way of a plan, when it was not that no job has a smaller shape.
        private(set) var refusal: WaitReason.Token?
        private let settings: Settings
        private let now: Double

        /// - Parameter otherwise: when the job would start and end without.
        init(
            _ settings: Settings, _ work: RoundWork, _ index: Int, _ options: [SpeedPoint],
            _ otherwise: (start: Double, end: Double, grant: Grant)?
        ) {
            self.settings = settings
            now = work.state.now
            let state = work.jobs[index]
            // A guaranteed job that cannot run counts as if it never would: best-effort jobs give way.
            let patience = state.job.isGuaranteed ? Double.infinity : (otherwise?.end ?? .infinity)
            guard patience > now else { return }
            let victims = candidates(work, evicting: state.job.isGuaranteed)
            plan = search(work, index, options, patience, victims)
            if plan == nil, victims.isEmpty, isGated(work) { refusal = .gateNotReached }
        }

        /// Whether a job would have a smaller shape, had it not changed too lately.
        private func isGated(_ work: RoundWork) -> Bool {
            work.movable.contains { index in
                guard !work.isChanged(index), let held = work.jobs[index].grant else { return false }
                return work.jobs[index].job.options.contains {
                    $0.gpus < held.gpus && held.subset($0) != nil
                }
            }
        }

        private struct Victim {
            var index: Int
            var grant: Grant?
            /// Seconds by which its end moves, the work that is lost with it and its start included.
            var price: Double
        }

        /// The smaller shapes of each job on nodes that it has, cheapest first.
        private func candidates(_ work: RoundWork, evicting: Bool) -> [Victim] {
            var found: [Victim] = []
            for index in work.movable where !work.isChanged(index) {
                let state = work.jobs[index]
                guard let held = state.grant else { continue }
                let mayShrink = state.passesGate(settings.gate, restart: settings.restart)
                let sinceCheckpoint = state.checkpointAt.map { now - $0 } ?? 0
                if mayShrink {
                    for point in state.job.options where point.gpus < held.gpus {
                        guard let grant = held.subset(point) else { continue }
                        let delay = state.remaining * (point.secondsPerStep - held.point.secondsPerStep)
                        found.append(
                            Victim(
                                index: index, grant: grant,
                                price: max(0, delay) + settings.restart + sinceCheckpoint * checkpointRisk))
                    }
                }
                if evicting, !state.job.isGuaranteed {
                    // Never cheaper than any shape that keeps it running.
                    let price = 1e9 + settings.restart + sinceCheckpoint + state.secondsLeft(now: now)
                    found.append(Victim(index: index, grant: nil, price: price))
                }
            }
            return found.sorted { $0.price != $1.price ? $0.price < $1.price : $0.index < $1.index }
        }

        /// Victims are added in order until the job fits; of all plans within the first ones the cheapest.
        private mutating func search(
            _ work: RoundWork, _ index: Int, _ options: [SpeedPoint], _ patience: Double, _ victims: [Victim]
        ) -> Plan? {
            let state = work.jobs[index]
            var room = work.room
            var chosen: [Victim] = []
            var price = 0.0
            for victim in victims {
                let isHeld = chosen.contains { $0.index == victim.index && $0.grant != nil }
                guard !isHeld || victim.grant == nil else { continue }
                if let earlier = chosen.firstIndex(where: { $0.index == victim.index }) {
                    if let held = chosen[earlier].grant { room.give(held) }
                    price -= chosen[earlier].price
                    chosen.remove(at: earlier)
                } else if let held = work.jobs[victim.index].grant {
                    room.give(held)
                }
                if let grant = victim.grant { room.take(grant) }
                chosen.append(victim)
                price += victim.grant == nil ? 0 : victim.price
                guard let grant = room.place(firstOf: options) else { continue }
                let end = now + state.seconds(grant.point, restart: settings.restart)
                guard end + price < patience else {
                    refusal = .slopeTooLow
                    return nil
                }
                let plan = Plan(
                    victims: chosen.map { ($0.index, $0.grant) }, beneficiary: index, grant: grant)
                return trimmed(plan, work)
            }
            return nil
        }

        /// Without the victims on whose room the job does not depend, the last first.
        private func trimmed(_ plan: Plan, _ work: RoundWork) -> Plan {
            var plan = plan
            for position in plan.victims.indices.reversed() {
                var room = work.room
                for (other, victim) in plan.victims.enumerated() where other != position {
                    if let held = work.jobs[victim.index].grant { room.give(held) }
                    if let grant = victim.grant { room.take(grant) }
                }
                if let grant = room.place(plan.grant.point) {
                    plan.victims.remove(at: position)
                    plan.grant = grant
                }
            }
            return plan
        }
    }
}
