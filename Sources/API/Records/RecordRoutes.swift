internal import APITypes
internal import Control
internal import Fleet
internal import Foundation
internal import Hummingbird
internal import Store

/// Allocations, events, operations, plans and tokens.
struct RecordRoutes {
    let store: any Store
    let hub: FeedHub
    let watcher: Watcher
    let secrets: SecretSource
    let time: Timekeeper

    func add(to router: some RouterMethods<APIContext>) {
        router.get("/v1/allocations") { request, context in
            try await self.allocations(request, context)
        }
        router.get("/v1/allocations/:id") { _, context in
            let id: ID<Allocation> = try Self.id(context)
            guard let found = try await self.store.allocations(.ids([id])).first,
                Self.isShown(found, to: context)
            else {
                throw StoreError.notFound(kind: .allocation, name: id.description)
            }
            return try JSONAnswer.response(found)
        }
        router.get("/v1/events") { request, context in try await self.events(request, context) }
        router.get("/v1/operations") { request, _ in
            let parameters = try ListParameters(request, fields: [])
            let operations = try await self.store.operations(limit: parameters.limit)
            return try JSONAnswer.list(
                operations.map(JSONAnswer.text), nextCursor: nil,
                resourceVersion: try await self.store.feedPosition().text)
        }
        router.get("/v1/operations/:id") { _, context in
            try JSONAnswer.response(try await self.operation(context))
        }
        router.post("/v1/operations/:id/cancel") { request, context in
            try await self.cancel(request, context)
        }
        router.get("/v1/plans/:id") { _, context in
            let id: ID<Plan> = try Self.id(context)
            guard let plan = try await self.store.plan(id) else {
                throw StoreError.notFound(kind: .plan, name: id.description)
            }
            return try JSONAnswer.response(plan)
        }
        router.get("/v1/tokens") { request, _ in try await self.tokens(request) }
        router.delete("/v1/tokens/:name") { request, context in
            try await self.revokeToken(request, context)
        }
        router.post("/v1/tokens") { request, context in try await self.createToken(request, context) }
        router.post("/v1/jointokens") { request, context in try await self.createJoinToken(request, context) }
    }

    private static func id<Subject>(_ context: APIContext) throws -> ID<Subject> {
        let text = try context.parameters.require("id")
        guard let id = ID<Subject>(text) else {
            throw Problem(.notFound, detail: "\"\(text.prefix(80))\" is not the id of an object")
        }
        return id
    }

    private func allocations(_ request: Request, _ context: APIContext) async throws -> Response {
        let parameters = try ListParameters(request, fields: ["host", "workload", "state", "cell"])
        var host: ID<Document>?
        if let name = parameters.fields["host"] {
            host = try await store.document(.host, project: nil, name: name)?.metadata.uid
            if host == nil { throw StoreError.notFound(kind: .host, name: name) }
        }
        if let watch = parameters.watch {
            var fields = parameters.fields
            fields["host"] = host?.description
            return try await watcher.answer(
                watch, since: parameters.since ?? "",
                scope: .init(
                    kind: .allocation, project: nil, projects: context.caller?.projects, labels: [:],
                    fields: fields))
        }
        let position = try await store.feedPosition()
        // Newest first; the last of a page is where the next goes on.
        var filter = AllocationFilter.page(
            after: parameters.after.flatMap { ID($0.name) }, limit: parameters.limit)
        if let host {
            filter = .hosts([host])
        } else if let cell = parameters.fields["cell"] {
            filter = .cell(cell)
        }
        let found = try await store.allocations(filter)
        let matching = found.filter { allocation in
            Self.isShown(allocation, to: context)
                && (parameters.fields["workload"].map { $0 == allocation.workload.name } ?? true)
                && (parameters.fields["state"].map { $0 == allocation.state.rawValue } ?? true)
        }
        var next: String?
        if case .page(_, let limit) = filter, found.count == limit, let last = found.last {
            next = Data("/\(last.id)".utf8).base64EncodedString()
        }
        return try JSONAnswer.list(
            matching.map(JSONAnswer.text), nextCursor: next, resourceVersion: position.text)
    }

    private static func isShown(_ allocation: Allocation, to context: APIContext) -> Bool {
        context.caller?.projects?.contains(allocation.workload.project) ?? true
    }

    private func events(_ request: Request, _ context: APIContext) async throws -> Response {
        let parameters = try ListParameters(request, fields: ["kind", "name", "project", "reason"])
        var query = EventQuery(
            project: parameters.fields["project"], name: parameters.fields["name"],
            projects: context.caller?.projects?.sorted(), limit: parameters.limit)
        if let text = parameters.fields["kind"] {
            guard let kind = Kind(named: text) else {
                throw Problem(
                    .malformedRequest, detail: Self.unknown(text, "kind", Kind.allCases.map(\.rawValue)))
            }
            query.kind = kind
        }
        if let text = parameters.fields["reason"] {
            guard let reason = Reason(rawValue: text) else {
                throw Problem(
                    .malformedRequest, detail: Self.unknown(text, "reason", Reason.allCases.map(\.rawValue)))
            }
            query.reason = reason
        }
        guard case .longPoll(let seconds) = parameters.watch else {
            // The position first: what is committed after it follows, and what is seen already may come
            // again.
            let position = try await store.feedPosition()
            return try Self.answer(EventPage(events: try await store.events(query), next: position))
        }
        guard let after = FeedCursor(parameters.since ?? "") else { throw StoreError.watchExpired }
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: .seconds(seconds))
        while true {
            // The position first: an event that comes after the look wakes us.
            let position = try await store.feedPosition()
            let found = try await store.followEvents(query, after: after)
            let left = clock.now.duration(to: deadline)
            if !found.events.isEmpty || left <= .zero { return try Self.answer(found) }
            try await hub.waitForClient(after: position, timeout: min(left, FeedHub.lookEvery))
        }
    }

    /// Events with the position from which a follower goes on.
    private static func answer(_ page: EventPage) throws -> Response {
        try JSONAnswer.list(
            page.events.map(JSONAnswer.text), nextCursor: nil, resourceVersion: page.next.text)
    }

    private static func unknown(_ text: String, _ what: String, _ choices: [String]) -> String {
        let nearest = NearestChoice.of(text, among: choices).map { "; did you mean \"\($0)\"?" } ?? ""
        return "there is no \(what) \"\(text.prefix(80))\"\(nearest)"
    }

    // MARK: Operations

    private func operation(_ context: APIContext) async throws -> OperationRecord {
        let id: ID<OperationRecord> = try Self.id(context)
        context.account.note(id)
        guard let operation = try await store.operation(id) else {
            throw StoreError.notFound(kind: .operation, name: id.description)
        }
        return operation
    }

    func write(_ verb: String, _ context: APIContext) -> WriteContext {
        WriteContext(actor: context.caller?.actor ?? "unknown", requestID: context.requestID, verb: verb)
    }

    /// A cancelled drain leaves the host cordoned: what moved stays where it is.
    private func cancel(_ request: Request, _ context: APIContext) async throws -> Response {
        let isTrial = try DocumentRoutes.isDryRun(request)
        var operation = try await operation(context)
        guard operation.state == .running else { return try JSONAnswer.response(operation) }
        guard operation.verb == "host.drain" else {
            throw Problem(.guardRefused, detail: "\(operation.verb) cannot be stopped half-way")
        }
        if isTrial {
            guard try await store.document(.host, project: nil, name: operation.target) != nil else {
                throw StoreError.notFound(kind: .host, name: operation.target)
            }
        } else {
            try await stopDraining(operation.target, context)
        }
        operation.state = .cancelled
        operation.message = "cancelled; host \(operation.target) stays cordoned"
        operation.updatedAt = time.now()
        if !isTrial { try await store.putOperation(operation, context: write("cancel", context)) }
        return try JSONAnswer.response(operation)
    }

    private func stopDraining(_ host: String, _ context: APIContext) async throws {
        _ = try await store.update(
            .host, project: nil, name: host, precondition: .none,
            context: write("cancel", context)
        ) { resource in
            var spec = try JSONDecoder().decode(HostSpec.self, from: Data(resource.spec.utf8))
            spec.draining = nil
            spec.drain = nil
            spec.cordoned = true
            resource.spec = try JSONAnswer.text(spec)
        }
    }
}
