internal import Fleet
internal import Store
internal import VMPlacement

extension CellModel {
    /// What a pool's policy asks for.
    private enum Wanted {
        case learned(PredictorForm, why: String)
        case model(ModelRecord, why: String)
        /// There is no such model.
        case missing(String)
    }

    /// Pools that go by lifetimes, or try a policy that does, sorted.
    private var poolsOfLifetimes: [String] {
        pools.filter { name, spec in
            placementPolicy(ofPool: name).needsLifetimes || spec.shadow?.needsLifetimes == true
        }.keys.sorted()
    }

    private func wanted(by pool: String) -> Wanted {
        let document = placementDocument(ofPool: pool)
        let rules = document?.spec.placement
        let policy = document.map { "policy \($0.version.name)" } ?? "the pool"
        guard rules?.predictor == .gbdt else {
            return .learned(rules?.predictor ?? .km, why: "\(policy) names no model")
        }
        if let name = rules?.model {
            guard let record = models[name] else { return .missing("\(policy) names model \(name)") }
            return .model(record, why: "\(policy) names it")
        }
        let register = ModelRegister(models.values)
        for scope in ModelScope.of(pool: pool, cell: name) {
            if let entry = register.promoted(in: scope), let record = models[entry.name] {
                return .model(record, why: "promoted \(scope.phrase)")
            }
        }
        return .missing("no model is promoted for pool \(pool), cell \(name) or everywhere")
    }

    /// Models whose files pools ask for, sorted.
    var wantedModels: [ModelRecord] {
        var found: [ID<Document>: ModelRecord] = [:]
        for pool in poolsOfLifetimes {
            if case .model(let record, _) = wanted(by: pool) { found[record.uid] = record }
        }
        return found.values.sorted { $0.uid < $1.uid }
    }

    /// Decides what each pool goes by, from what was read of models and what is held of them.
    ///
    /// - Returns: what is held of them from now on: another model begins anew.
    mutating func choosePredictors(trust: [String: ModelTrust], now: Timestamp) -> [String: ModelTrust] {
        var next: [String: PredictorInUse] = [:]
        var held: [String: ModelTrust] = [:]
        for pool in poolsOfLifetimes {
            if case .model(let record, _) = wanted(by: pool) {
                held[pool] = self.trust(in: record, before: trust[pool], now: now)
            }
            let chosen = predictor(of: pool, trust: held[pool], now: now)
            let before = predictors[pool] ?? poolRecords[pool]?.status.predictor
            next[pool] = chosen.isSame(as: before) ? before : chosen
        }
        predictors = next
        return held
    }

    private func trust(in record: ModelRecord, before: ModelTrust?, now: Timestamp) -> ModelTrust {
        let promoted = record.status.promotions.filter { $0.until == nil }.map { clock.time(at: $0.since) }
            .max()
        if let before, before.model == record.uid, promoted.map({ $0 <= before.since }) ?? true {
            return before
        }
        return ModelTrust(model: record.uid, since: clock.time(at: now))
    }

    private func predictor(of pool: String, trust: ModelTrust?, now: Timestamp) -> PredictorInUse {
        func fallback(_ reason: Reason, _ message: String) -> PredictorInUse {
            let rest = "; until then lifetimes are learned from VMs of the cell that end"
            return PredictorInUse(form: .km, reason: reason, message: message + rest, since: now)
        }
        switch wanted(by: pool) {
        case .learned(let form, let why):
            return PredictorInUse(form: form, reason: .predictorChanged, message: why, since: now)
        case .missing(let message): return fallback(.modelMissing, message)
        case .model(let record, let why):
            switch modelFiles[record.uid] {
            case nil: return fallback(.modelMissing, "model \(record.name) is not read yet")
            case .damaged(let what): return fallback(.modelDamaged, "model \(record.name): \(what)")
            case .ready where trust?.isLost == true:
                let least = Int((ModelTrust.leastShare * 100).rounded())
                let message =
                    "model \(record.name) was right about the class of fewer than \(least) % of the VMs that ended"
                return fallback(.modelInaccurate, message)
            case .ready:
                return PredictorInUse(
                    form: .gbdt, model: record.name, reason: .predictorChanged, message: why, since: now)
            }
        }
    }

    /// What answers for all pools as they were decided on.
    var predictor: any LifetimeModel {
        var own: [String: any LifetimeModel] = [:]
        for (pool, inUse) in predictors {
            switch inUse.form {
            case .km: break
            case .lognormal: own[pool] = learned.model(.lognormal)
            case .gbdt:
                if let record = inUse.model.flatMap({ models[$0] }),
                    case .ready(let model) = modelFiles[record.uid]
                {
                    own[pool] = LearnedModels.hinted(model)
                }
            }
        }
        let otherwise = learned.model(.km)
        return own.isEmpty ? otherwise : PoolModels(pools: own, otherwise: otherwise)
    }
}
