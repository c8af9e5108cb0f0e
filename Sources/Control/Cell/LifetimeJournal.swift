internal import Fleet
internal import Store
internal import VMPlacement

/// What happened to a cell's allocations while the tracking of their lifetimes was made ready on a copy.
struct LifetimeJournal {
    /// Of the copy.
    var number: Int
    var came: Set<ID<Allocation>> = []
    /// As the ledger has them: released.
    var gone: [Allocation] = []
}

/// Lifetimes that were made ready on a copy of a model; the rest of the copy is gone by then, so that it is
/// not the pipeline that takes it apart.
struct ReadyLifetimes {
    /// Of the copy.
    let number: Int?
    let clock: FleetClock
    let history: LifetimeHistory
    let placement: PlacementCell
    let learned: LearnedModels
    let predictors: [String: PredictorInUse]
    let modelFiles: [ID<Document>: ReadModel]
    /// Ends that the history knows.
    let learnedFrom: Set<ID<Allocation>>

    init(_ copy: CellModel, from store: any Store, now: Timestamp) async throws {
        let reading = try await LifetimeReading(of: copy.name, live: Set(copy.allocations.keys), from: store)
        var model = copy
        model.modelFiles = try await ReadModel.wanted(by: model, from: store)
        try model.followLifetimes(reading, now: now)
        number = model.lifetimeJournal?.number
        clock = model.clock
        history = model.history
        placement = model.placement
        learned = model.learned
        predictors = model.predictors
        modelFiles = model.modelFiles
        learnedFrom = Set(reading.released.map(\.id))
    }
}

extension CellModel {
    /// A copy to make lifetimes ready on, when they are to be tracked and none was taken for that yet.
    ///
    /// - Parameter number: tells the copy from others.
    mutating func copyForLifetimes(_ number: Int) -> CellModel? {
        guard lacksLifetimes, lifetimeJournal == nil else { return nil }
        lifetimeJournal = LifetimeJournal(number: number)
        return self
    }

    /// Goes on with lifetimes that are ready, and lets happen to them what happened meanwhile. Nothing
    /// happens when they were made on the copy of another model, or are no longer asked for.
    mutating func adopt(_ ready: ReadyLifetimes) {
        guard let journal = lifetimeJournal, journal.number == ready.number else {
            return
        }
        lifetimeJournal = nil
        guard needsLifetimes else { return }
        clock = ready.clock
        history = ready.history
        learned = ready.learned
        predictors = ready.predictors
        modelFiles = ready.modelFiles
        var departures: [ID<Allocation>: LifetimeMemory.Departure] = [:]
        for allocation in journal.gone {
            guard let at = allocation.releasedAt else { continue }
            let hasEnded = hasEnded(allocation.workload.uid)
            departures[allocation.id] = .init(at: clock.time(at: at), hasEnded: hasEnded)
            if hasEnded, !ready.learnedFrom.contains(allocation.id) { observe(allocation, until: at) }
        }
        for id in journal.came {
            if let allocation = allocations[id] { placement.setLifetime(lifetime(of: allocation), of: id) }
        }
        placement.adoptLifetimes(
            of: ready.placement, moved: journal.came.union(journal.gone.map(\.id)),
            departures: departures)
    }
}
