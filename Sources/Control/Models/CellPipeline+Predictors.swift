internal import Fleet
internal import Store
internal import VMPlacement

extension CellPipeline {
    /// Reads what is kept of models.
    func readModels(named names: Set<String>) async throws {
        for name in names.sorted() {
            let resource = try await store.document(.model, project: nil, name: name)
            model.models[name] = resource.flatMap { ModelRecord($0) }
        }
    }

    /// Reads the files of the models that pools ask for.
    func readModels(of model: inout CellModel) async throws {
        model.modelFiles = try await ReadModel.wanted(by: model, from: store)
    }

    /// Goes on by what models, policies and the right predictions of late say, and tells so.
    func followPredictors(now: Timestamp) async throws {
        guard model.needsLifetimes || model.poolRecords.values.contains(where: { $0.status.predictor != nil })
        else { return }
        let files = try await ReadModel.wanted(by: model, from: store)
        let before = model.predictors
        let read = Set(model.modelFiles.keys)
        model.modelFiles = files
        if model.placement.tracksLifetimes {
            let held = model.placement.modelTrust
            let trust = model.choosePredictors(trust: held, now: now)
            if trust != held { model.placement.setModelTrust(trust) }
            if model.predictors != before || trust.mapValues(\.model) != held.mapValues(\.model)
                || Set(files.keys) != read
            {
                model.placement.useLifetimeModel(model.predictor)
            }
        }
        try await tellPredictors()
    }

    /// Writes what pools go by into their statuses, each change with an event.
    private func tellPredictors() async throws {
        var writes: [StatusWrite] = []
        for (name, record) in model.poolRecords.sorted(by: { $0.key < $1.key }) {
            let inUse = model.predictors[name]
            guard inUse != record.status.predictor else { continue }
            var status = record.status
            status.predictor = inUse
            let words = inUse.map { "lifetimes are predicted by \($0.words): \($0.message)" }
            writes.append(
                StatusWrite(
                    uid: record.uid, expected: record.resourceVersion, status: try Self.encoded(status),
                    event: EventDraft(
                        kind: .pool, project: nil, name: name, uid: record.uid,
                        reason: inUse?.reason ?? .predictorChanged,
                        message: words ?? "placement goes by no lifetimes", source: "vms")))
        }
        if !writes.isEmpty { try await store.writeStatuses(writes, lease: lease) }
    }
}

extension PredictorInUse {
    /// `gbdt model web-2` or `km`.
    var words: String { model.map { "\(form.rawValue) model \($0)" } ?? form.rawValue }
}
