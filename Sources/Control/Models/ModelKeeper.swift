public import Fleet
public import Foundation
internal import LifetimeTraining
public import Store
internal import VMPlacement

/// Why a model is not kept or not promoted.
public struct ModelRefusal: Error, Sendable, Hashable {
    public var message: String
    /// Where in the document or request; empty for what no field is to blame for.
    public var causes: [FieldDefect]

    public init(message: String, causes: [FieldDefect] = []) {
        self.message = message
        self.causes = causes
    }
}

/// Keeps models, and decides which of them pools go by.
public struct ModelKeeper: Sendable {
    let store: any Store

    public init(store: any Store) { self.store = store }

    // MARK: Files

    /// What a file says of itself, and the file in the spelling that is kept.
    ///
    /// - Throws: `ModelRefusal` that names the first field that is wrong.
    public static func read(
        _ data: Data, description: String? = nil
    ) throws(ModelRefusal) -> (spec: ModelSpec, file: String) {
        guard data.count <= ModelSpec.fileLimit else {
            throw ModelRefusal(
                message: "the file of a model is too large",
                causes: [
                    FieldDefect(
                        field: "spec.file", code: .outOfRange,
                        message: "has \(data.count) bytes; the limit is \(ModelSpec.fileLimit)")
                ])
        }
        do {
            let file = try LifetimeModelFile(data)
            let text = String(decoding: try file.data(), as: UTF8.self)
            return (file.spec(description: description, bytes: text.utf8.count), text)
        } catch {
            let message = (error.found.map { "\"\($0)\" found, " } ?? "") + "\(error.expected) expected"
            let field = error.field == "the file" ? "spec.file" : "spec.file.\(error.field)"
            throw ModelRefusal(
                message: "the file is no model of lifetimes",
                causes: [FieldDefect(field: field, code: .invalid, message: message)])
        }
    }

    // MARK: Promotion

    /// Lets pools of a scope go by a model.
    ///
    /// - Parameters:
    ///   - force: also when it is worse than the one in force, or nobody can tell.
    ///   - words: figures of somebody who compared the two already.
    ///   - lease: of the controller that decides it; nil for a user.
    ///   - isTrial: only finds out whether it could be.
    /// - Returns: the model with its new status.
    /// - Throws: `ModelRefusal` with the figures; `StoreError`.
    public func promote(
        _ name: String, in scope: ModelScope, force: Bool, because words: String? = nil,
        lease: CellLease? = nil, context: WriteContext, isTrial: Bool = false
    ) async throws -> Resource {
        try await checkScope(scope)
        return try await change(name, context, lease, isTrial) { records, record, now in
            var register = ModelRegister(records)
            let incumbent = try await self.incumbent(in: scope, register, records)
            var words = words ?? (force ? "not compared" : "the first one")
            if !force {
                try Self.checkFeatures(record)
                if let incumbent, incumbent.uid != record.uid {
                    words = try await self.check(record, against: incumbent, in: scope)
                }
            }
            let changed = register.promote(record.uid, in: scope, by: context.actor, at: now)
            let place = "\(scope.phrase) by \(context.actor): \(words)"
            return (register, changed, "promoted \(place)", "its place was taken by \(record.name), \(place)")
        }
    }

    /// Takes a promotion back: the model that was in force before is in force again.
    ///
    /// - Throws: `ModelRefusal` when the model is not in force in the scope; `StoreError`.
    public func takeBack(
        _ name: String, in scope: ModelScope, context: WriteContext, isTrial: Bool = false
    ) async throws -> Resource {
        try await change(name, context, nil, isTrial) { records, record, now in
            var register = ModelRegister(records)
            let changed = register.takeBack(record.uid, in: scope, by: context.actor, at: now)
            guard !changed.isEmpty else {
                throw ModelRefusal(message: "model \(name) is not promoted \(scope.phrase)")
            }
            let words = "\(scope.phrase) by \(context.actor)"
            return (register, changed, "taken back \(words)", "promoted again \(words)")
        }
    }

    private typealias Change = (
        register: ModelRegister, changed: [ID<Document>], mine: String, theirs: String
    )

    /// Times that somebody else may be first.
    private static let attempts = 5

    private func change(
        _ name: String, _ context: WriteContext, _ lease: CellLease?, _ isTrial: Bool,
        _ decide: ([ModelRecord], ModelRecord, Timestamp) async throws -> Change
    ) async throws -> Resource {
        for _ in 0..<Self.attempts {
            let resources = try await models()
            let records = resources.compactMap { ModelRecord($0) }
            guard let record = records.first(where: { $0.name == name }),
                var resource = resources.first(where: { $0.metadata.uid == record.uid })
            else { throw StoreError.notFound(kind: .model, name: name) }
            let decision = try await decide(records, record, try await store.now())
            guard !decision.changed.isEmpty else { return resource }
            let write = try Self.write(decision, of: record, records)
            guard try await store.changeModels(write, lease: lease, context: context, isTrial: isTrial) else {
                continue
            }
            resource.status = write.statuses[record.uid] ?? resource.status
            if isTrial { return resource }
            return try await store.document(.model, project: nil, name: name) ?? resource
        }
        throw StoreError.unavailable("models changed again and again")
    }

    private static func write(
        _ decision: Change, of record: ModelRecord, _ records: [ModelRecord]
    ) throws -> ModelChange {
        let touched = records.filter {
            decision.changed.contains($0.uid) || $0.status.state == .promoted
        }
        var statuses: [ID<Document>: String] = [:]
        var events: [EventDraft] = []
        for uid in decision.changed {
            guard let entry = decision.register.entries[uid] else { continue }
            statuses[uid] = try CellPipeline.encoded(entry.status)
            let isPromoted = entry.status.state == .promoted
            events.append(
                EventDraft(
                    kind: .model, project: nil, name: entry.name, uid: uid,
                    reason: isPromoted ? .modelPromoted : .modelRetired,
                    message: uid == record.uid ? decision.mine : decision.theirs, source: "models"))
        }
        return ModelChange(
            expected: Dictionary(uniqueKeysWithValues: touched.map { ($0.uid, $0.resourceVersion) }),
            statuses: statuses, events: events, subject: record.name)
    }

    func models() async throws -> [Resource] {
        var found: [Resource] = []
        var query = ListQuery(kind: .model, limit: 1000)
        while true {
            let page = try await store.list(query)
            found += page.documents
            guard page.more, let last = page.documents.last?.metadata else { return found }
            query.after = .init(project: "", name: last.name)
        }
    }

    /// The model that pools of a scope go by now, their own or a wider one's.
    private func incumbent(
        in scope: ModelScope, _ register: ModelRegister, _ records: [ModelRecord]
    ) async throws -> ModelRecord? {
        var scopes = [scope]
        if let pool = scope.pool {
            scopes = ModelScope.of(pool: pool, cell: try await cell(ofPool: pool))
        } else if scope.cell != nil {
            scopes.append(.everywhere)
        }
        let entry = scopes.lazy.compactMap { register.promoted(in: $0) }.first
        return entry.flatMap { entry in records.first { $0.uid == entry.uid } }
    }

    private func cell(ofPool name: String) async throws -> String {
        guard let pool = try await store.document(.pool, project: nil, name: name) else {
            throw StoreError.referenceMissing(field: "pool", kind: .pool, name: name)
        }
        return try JSONDecoder().decode(PoolSpec.self, from: Data(pool.spec.utf8)).cell
    }

    private func checkScope(_ scope: ModelScope) async throws {
        if let pool = scope.pool { _ = try await cell(ofPool: pool) }
        if let cell = scope.cell, try await store.document(.cell, project: nil, name: cell) == nil {
            throw StoreError.referenceMissing(field: "cell", kind: .cell, name: cell)
        }
    }
}

// MARK: Comparison

extension ModelKeeper {
    /// Youngest VMs of the fleet's history on which two models are compared.
    static let compared = 5000

    private static func checkFeatures(_ record: ModelRecord) throws(ModelRefusal) {
        let unknown = record.spec.features.filter { ModelFeature.OfTraces(rawValue: $0) != nil }
        guard !unknown.isEmpty else { return }
        throw ModelRefusal(
            message:
                "model \(record.name) looks at \(unknown.joined(separator: ", ")), which only traces have: train it "
                + "with other features")
    }

    /// - Returns: the figures, when the model is no worse than the one in force.
    /// - Throws: `ModelRefusal` with them, when it is or nobody can tell.
    private func check(
        _ record: ModelRecord, against incumbent: ModelRecord, in scope: ModelScope
    ) async throws -> String {
        let comparison = try await compare(record, with: incumbent, in: scope)
        let goers = scope == .everywhere ? "all pools go" : "\(scope.words) goes"
        let place = "\(incumbent.name), which \(goers) by"
        switch comparison.isWorse {
        case false?: return "\(comparison.words), \(incumbent.name)'s"
        case true?:
            throw ModelRefusal(
                message: "model \(record.name) is worse than \(place): \(comparison.words)",
                causes: [FieldDefect(field: "force", code: .conflict, message: comparison.words)])
        case nil:
            throw ModelRefusal(
                message:
                    "nobody can tell whether model \(record.name) is worse than \(place): other data, and of the "
                    + "fleet's own VMs \(comparison.words)",
                causes: [FieldDefect(field: "force", code: .conflict, message: comparison.words)])
        }
    }

    private func compare(
        _ record: ModelRecord, with incumbent: ModelRecord, in scope: ModelScope
    ) async throws -> ModelComparison {
        if let comparison = ModelComparison.ofFiles(record.spec, incumbent.spec) { return comparison }
        let mine = ReadModel(try await store.modelFile(record.uid), checksum: record.spec.checksum)
        guard case .ready(let model) = mine else {
            throw ModelRefusal(message: "the file of model \(record.name) is damaged")
        }
        let theirs = ReadModel(try await store.modelFile(incumbent.uid), checksum: incumbent.spec.checksum)
        guard case .ready(let other) = theirs else {
            return ModelComparison(isWorse: false, words: "the file in force is damaged")
        }
        let history = try await store.vmHistory(
            VMHistoryQuery(
                cell: scope.cell, pool: scope.pool, order: .newestFirst, limit: Self.compared))
        let now = try await store.clusterState().fleetTime(at: try await store.now())
        let cap = LifetimeSettings().cap
        return ModelComparison(
            of: LifetimePredictor(model, cap: cap), against: LifetimePredictor(other, cap: cap),
            on: history.map { TrainingVM($0, now: now) })
    }
}
