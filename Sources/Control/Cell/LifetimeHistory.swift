internal import Fleet
internal import VMPlacement

/// What a cell's VMs lived, from which lifetimes are predicted where their owners give no hint.
struct LifetimeHistory {
    /// VMs that are learned from: the law of a few thousand does not move by one more.
    static let most = 5000
    /// VMs of which nothing can be learned yet: the cap is the prediction then.
    static let least = 50
    /// Deviation of the natural logarithm of lifetime over hint: hints are mostly right within a factor of
    /// two.
    static let hintSpread = 0.5

    private(set) var ended: [LifetimeObservation] = []
    /// Ends that the model in use does not know.
    private var news = 0

    mutating func add(_ observation: LifetimeObservation) {
        if ended.count == Self.most { ended.removeFirst(Self.most / 10) }
        ended.append(observation)
        news += 1
    }

    /// Whether enough is new for another model: a tenth of what there is.
    var isDue: Bool { ended.count >= Self.least && news * 10 >= ended.count }

    /// The owner's hint; without one, how long VMs of the project and size lived, else of the size, else all.
    ///
    /// - Parameter running: VMs that have not ended, as long as they were seen: the long ones are among them.
    mutating func learn(running: [LifetimeObservation]) -> LearnedModels {
        news = 0
        guard ended.count >= Self.least else { return LearnedModels() }
        let all = ended + running
        return LearnedModels(
            km: .kaplanMeier(all, levels: Self.levels, shape: .steps),
            logNormal: .logNormal(all, levels: [[.project, .size], .size]))
    }

    /// The finest first.
    static let levels: [StratifiedModel<SurvivalCurve>.Grouping] = [[.project, .size], .size]
}

/// What is learned of a cell's VMs as they end; nothing until enough have.
struct LearnedModels {
    var km: StratifiedModel<SurvivalCurve>?
    var logNormal: StratifiedModel<LogNormalLaw>?

    /// The owner's hint, else what the form learned.
    func model(_ form: PredictorForm) -> HintModel {
        switch form {
        case .lognormal: Self.hinted(logNormal)
        case .km, .gbdt: Self.hinted(km)
        }
    }

    /// The owner's hint, else a model's word.
    static func hinted(_ model: (any LifetimeModel)?) -> HintModel {
        HintModel(spread: LifetimeHistory.hintSpread, fallback: model)
    }
}
