internal import Fleet
internal import Logging
internal import Store
internal import VMPlacement

extension CellPipeline {
    /// A copy of the model to make lifetimes ready on, when pools begin to ask for them: with tens of
    /// thousands of VMs that takes longer than placements may wait.
    func copyForLifetimes() -> CellModel? {
        lifetimeCopies += 1
        return model.copyForLifetimes(lifetimeCopies)
    }

    /// Makes lifetimes ready beside the pipeline; until the next cycle takes them over, pools that ask for
    /// them go by best fit.
    func makeReady(_ copy: CellModel) async {
        do {
            readyLifetimes = try await Self.ready(copy, from: store, now: time.now())
        } catch is CancellationError {
            return
        } catch {
            logger.failure("lifetimes not read", error, ["cell": "\(cell)"])
            do { try await time.sleep(FeedHub.retryAfter) } catch { return }
            // Another try.
            if model.lifetimeJournal?.number == copy.lifetimeJournal?.number { model.lifetimeJournal = nil }
        }
    }

    @concurrent private static func ready(
        _ copy: CellModel, from store: any Store, now: Timestamp
    ) async throws -> ReadyLifetimes {
        try await ReadyLifetimes(copy, from: store, now: now)
    }

    /// Takes over what was made ready, or ends the tracking; true when either was done.
    func changeLifetimes() -> Bool {
        if let ready = readyLifetimes {
            readyLifetimes = nil
            model.adopt(ready)
            if model.placement.tracksLifetimes {
                logger.info("lifetimes are tracked", metadata: ["cell": "\(cell)"])
            }
            return true
        }
        guard model.placement.tracksLifetimes, !model.needsLifetimes else { return false }
        model.placement.forgetLifetimes()
        model.predictors = [:]
        return true
    }

    /// Begins the tracking of lifetimes in a model that nothing is placed with yet.
    func followLifetimes(_ model: inout CellModel) async throws {
        try await readModels(of: &model)
        guard model.mustFollowLifetimes else { return }
        let reading =
            model.needsLifetimes
            ? try await LifetimeReading(of: cell, live: Set(model.allocations.keys), from: store) : nil
        try model.followLifetimes(reading, now: time.now())
    }

    /// Writes down what moved on the hosts since the last plan: VMs that ended, deadlines that passed.
    /// Nothing was decided on it yet; a plan brings such notes along.
    func remember() async throws {
        let (now, uptime) = (time.now(), time.uptime())
        if let rememberedAt, uptime - rememberedAt < limits.rememberEvery { return }
        rememberedAt = uptime
        try await followPredictors(now: now)
        guard model.placement.tracksLifetimes else { return }
        // The rate of a development control plane may be another after a restart of it.
        model.clock = FleetClock(try await store.clusterState())
        model.placement.advance(to: model.clock.time(at: now), repredicting: false)
        model.relearn(now: now)
        if let note = try lifetimeNote(at: model.placement.lifetimeTrial) {
            try await store.writeLifetimes(note, lease: lease)
        }
    }

    /// What moved since the last note, as a plan saw it; it counts as written.
    func lifetimeNote(at trial: LifetimeTrial, for plan: Plan? = nil) throws -> LifetimeNote? {
        guard model.placement.tracksLifetimes else { return nil }
        var hosts: Set<ID<Document>> = []
        for taken in (plan?.groups.flatMap(\.directives) ?? []).compactMap(\.taken) {
            hosts.insert(taken.allocation.host)
        }
        // A plan is waited for; what can wait for the next note does.
        return try model.placement
            .takeLifetimeNotes(at: trial, for: hosts, limit: plan == nil ? limits.firstNotes : 0)?.encoded()
    }

    /// Takes hosts of refused groups back to what the ledger makes of the plan.
    func takeBackLifetimes(of plan: Plan, refused: Set<Int>, to trial: LifetimeTrial) {
        var hosts: Set<ID<Document>> = []
        var accepted: [LifetimeMemory.Arrival] = []
        for (index, group) in plan.groups.enumerated() {
            for taken in group.directives.compactMap(\.taken) {
                if refused.contains(index) {
                    hosts.insert(taken.allocation.host)
                } else if let lifetime = taken.lifetime {
                    accepted.append(.init(allocation: taken.allocation.id, lifetime: lifetime))
                }
            }
        }
        guard !hosts.isEmpty else { return }
        model.placement.takeBackLifetimes(of: hosts, to: trial, accepted: accepted)
    }
}
