internal import AgentProtocol
public import APITypes
public import Fleet

/// What a mutation would do, from `?dryRun=true`.
public struct DryRun: Sendable {
    /// The document as it would be.
    public var document: WireDocument
    /// For VMs: where it would be placed, or why nowhere.
    public var explanation: PlacementExplanation?
    /// For VM groups: the plan for all members.
    public var plan: Plan?
}

/// A VM's dry run; the other kinds answer the document itself.
private struct ExplainedDocument: Decodable {
    var document: WireDocument
    var explanation: PlacementExplanation?
    var plan: Plan?
}

extension RESTClient {
    /// One page.
    public func list(
        _ collection: Collection, _ options: ListOptions = .init()
    ) async throws -> WireList<WireDocument> {
        try await send(.get(collection.path, query: options.query), as: WireList<WireDocument>.self)
    }

    /// Every page; `options.cursor` is ignored.
    public func listAll(
        _ collection: Collection, _ options: ListOptions = .init()
    ) async throws -> Listing<WireDocument> {
        try await everyPage(of: collection.path, options)
    }

    /// One document; `resource.not_found` when there is none.
    public func get(_ name: String, in collection: Collection) async throws -> WireDocument {
        try await send(.get(collection.path.appending(name)), as: WireDocument.self)
    }

    /// The document, or nil when there is none of that name.
    public func find(_ name: String, in collection: Collection) async throws -> WireDocument? {
        do {
            return try await get(name, in: collection)
        } catch let error as ClientError where error.isProblem(.notFound) {
            return nil
        }
    }

    /// - Parameter key: repeated creations with the same key give the first answer again; fresh when nil.
    public func create(
        _ draft: WireDraft, in collection: Collection, key: String? = nil
    ) async throws -> WireDocument {
        let call = try Call.post(collection.path, body: draft, key: key ?? newIdempotencyKey())
        return try await send(call, as: WireDocument.self)
    }

    /// Replaces spec, labels and annotations.
    public func replace(
        _ draft: WireDraft, in collection: Collection, match: EntityMatch
    ) async throws -> WireDocument {
        let body = try WireJSON.encode(draft)
        let path = collection.path.appending(draft.metadata.name)
        return try await send(.guarded(.put, path, body: body, match: match), as: WireDocument.self)
    }

    /// Applies a JSON merge patch (RFC 7396) to spec, labels and annotations.
    public func patch(
        _ name: String, in collection: Collection, with patch: JSONValue, match: EntityMatch
    ) async throws -> WireDocument {
        let call = Call.guarded(
            .patch, collection.path.appending(name), body: try WireJSON.encode(patch), match: match,
            type: "application/merge-patch+json")
        return try await send(call, as: WireDocument.self)
    }

    /// What ``patch(_:in:with:match:)`` would answer; nothing is stored.
    public func dryRunPatch(
        _ name: String, in collection: Collection, with patch: JSONValue, match: EntityMatch
    ) async throws -> DryRun {
        var call = Call.guarded(
            .patch, collection.path.appending(name), body: try WireJSON.encode(patch), match: match,
            type: "application/merge-patch+json")
        call.query = [("dryRun", "true")]
        return try Self.dryRun(try await send(call))
    }

    /// - Returns: the document, which its finalizers still hold, or nil when it is gone.
    public func delete(
        _ name: String, in collection: Collection, match: EntityMatch = .any, dryRun: Bool = false
    ) async throws -> WireDocument? {
        var call = Call.guarded(.delete, collection.path.appending(name), body: nil, match: match)
        if dryRun { call.query = [("dryRun", "true")] }
        let answer = try await send(call)
        if answer.status == 204 || answer.body.isEmpty { return nil }
        return dryRun ? try Self.dryRun(answer).document : try answer.decoded(WireDocument.self)
    }

    /// What ``create(_:in:key:)`` would answer; nothing is stored.
    public func dryRunCreate(_ draft: WireDraft, in collection: Collection) async throws -> DryRun {
        var call = try Call.post(collection.path, body: draft, key: newIdempotencyKey())
        call.query = [("dryRun", "true")]
        return try Self.dryRun(try await send(call))
    }

    /// What ``replace(_:in:match:)`` would answer; nothing is stored.
    public func dryRunReplace(
        _ draft: WireDraft, in collection: Collection, match: EntityMatch
    ) async throws -> DryRun {
        var call = Call.guarded(
            .put, collection.path.appending(draft.metadata.name), body: try WireJSON.encode(draft),
            match: match)
        call.query = [("dryRun", "true")]
        return try Self.dryRun(try await send(call))
    }

    /// Why a VM is where it is, or nowhere.
    public func why(vm name: String, project: String) async throws -> WhyResponse {
        let path = Collection(.vm, project: project).path.appending(name).appending("why")
        return try await send(.get(path), as: WhyResponse.self)
    }

    /// Why the members of a VM group are where they are, or nowhere.
    public func why(vmGroup name: String, project: String) async throws -> WhyResponse {
        let path = Collection(.vmGroup, project: project).path.appending(name).appending("why")
        return try await send(.get(path), as: WhyResponse.self)
    }

    /// Why a training job runs as it does, or waits.
    public func why(trainingJob name: String, project: String) async throws -> TrainingWhyResponse {
        let path = Collection(.trainingJob, project: project).path.appending(name).appending("why")
        return try await send(.get(path), as: TrainingWhyResponse.self)
    }

    /// What becomes of a pool's training jobs, now and with more hosts and jobs; changes nothing.
    public func planTraining(pool: String, _ addition: TrainingAddition) async throws -> TrainingPreview {
        let path = APIPath("pools", pool, "trainingplan")
        let call = try Call.post(path, body: addition, key: newIdempotencyKey())
        return try await send(call, as: TrainingPreview.self)
    }

    /// A piece of a workload's output.
    /// - Parameters:
    ///   - part: of a training job; the first when nil.
    ///   - after: position behind which to read; nil for the beginning, or the last `tail` lines.
    ///   - wait: how long to wait when there is none.
    public func output(
        of kind: Kind = .vm, _ name: String, project: String, part: String? = nil, after: Int? = nil,
        tail: Int? = nil, wait: Duration = .zero
    ) async throws -> LogPiece {
        let path = Collection(kind, project: project).path.appending(name).appending("logs")
        var call = Call.get(path)
        if let part { call.query.append(("part", part)) }
        if let after { call.query.append(("after", String(after))) }
        if let tail { call.query.append(("tail", String(tail))) }
        if wait > .zero { call.query.append(("wait", String(wait.components.seconds))) }
        // The agent may take as long as an answer of its own.
        call.extraWait = wait + .seconds(LogLimit.answerSeconds)
        return try await send(call, as: LogPiece.self)
    }

    func everyPage<Item: Codable & Sendable>(
        of path: APIPath, _ options: ListOptions, also fixed: [(name: String, value: String)] = []
    ) async throws -> Listing<Item> {
        var options = options
        options.cursor = nil
        options.limit = options.limit ?? ListOptions.largestPage
        var items: [Item] = []
        var version: String?
        while true {
            let page = try await send(.get(path, query: options.query + fixed), as: WireList<Item>.self)
            items += page.items
            version = version ?? page.resourceVersion
            guard let cursor = page.nextCursor, cursor != options.cursor else { break }
            options.cursor = cursor
        }
        return Listing(items: items, resourceVersion: version ?? "")
    }

    static func dryRun(_ answer: Answer) throws -> DryRun {
        let value = try answer.decoded(JSONValue.self)
        if value["document"] != nil {
            let explained = try answer.decoded(ExplainedDocument.self)
            return DryRun(
                document: explained.document, explanation: explained.explanation, plan: explained.plan)
        }
        return DryRun(document: try answer.decoded(WireDocument.self), explanation: nil, plan: nil)
    }
}
