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
        router.post("/v1/operations/:id/cancel") { _, context in try await self.cancel(context) }
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
        if let watch = parameters.watch {
            return try await watcher.answer(
                watch, since: parameters.since ?? "",
                scope: .init(
                    kind: .allocation, project: nil, projects: context.caller?.projects, labels: [:]))
        }
        let position = try await store.feedPosition()
        // Newest first; the last of a page is where the next goes on.
        var filter = AllocationFilter.page(
            after: parameters.after.flatMap { ID($0.name) }, limit: parameters.limit)
        if let name = parameters.fields["host"] {
            guard let host = try await store.document(.host, project: nil, name: name) else {
                throw StoreError.notFound(kind: .host, name: name)
            }
            filter = .hosts([host.metadata.uid])
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
            return try answer(try await store.events(query), after: 0)
        }
        guard let after = Int64(parameters.since ?? "") else { throw StoreError.watchExpired }
        query.after = after
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: .seconds(seconds))
        while true {
            // The position first: an event that comes after the look wakes us.
            let position = try await store.feedPosition()
            let found = try await store.events(query)
            let left = clock.now.duration(to: deadline)
            if !found.isEmpty || left <= .zero { return try answer(found, after: after) }
            try await hub.waitForClient(after: position, timeout: min(left, FeedHub.lookEvery))
        }
    }

    /// Events with the id of the last, from which a follower goes on.
    private func answer(_ events: [EventRecord], after: Int64) throws -> Response {
        try JSONAnswer.list(
            events.map(JSONAnswer.text), nextCursor: nil, resourceVersion: String(events.last?.id ?? after))
    }

    private static func unknown(_ text: String, _ what: String, _ choices: [String]) -> String {
        let nearest = NearestChoice.of(text, among: choices).map { "; did you mean \"\($0)\"?" } ?? ""
        return "there is no \(what) \"\(text.prefix(80))\"\(nearest)"
    }

    // MARK: Operations

    private func operation(_ context: APIContext) async throws -> OperationRecord {
        let id: ID<OperationRecord> = try Self.id(context)
        guard let operation = try await store.operation(id) else {
            throw StoreError.notFound(kind: .operation, name: id.description)
        }
        return operation
    }

    func write(_ verb: String, _ context: APIContext) -> WriteContext {
        WriteContext(actor: context.caller?.actor ?? "unknown", requestID: context.requestID, verb: verb)
    }

    /// A cancelled drain leaves the host cordoned: what moved stays where it is.
    private func cancel(_ context: APIContext) async throws -> Response {
        var operation = try await operation(context)
        guard operation.state == .running else { return try JSONAnswer.response(operation) }
        guard operation.verb == "host.drain" else {
            throw Problem(.guardRefused, detail: "\(operation.verb) cannot be stopped half-way")
        }
        _ = try await store.update(
            .host, project: nil, name: operation.target, precondition: .none,
            context: write("cancel", context)
        ) { resource in
            var spec = try JSONDecoder().decode(HostSpec.self, from: Data(resource.spec.utf8))
            spec.draining = nil
            spec.drain = nil
            spec.cordoned = true
            resource.spec = try JSONAnswer.text(spec)
        }
        operation.state = .cancelled
        operation.message = "cancelled; host \(operation.target) stays cordoned"
        operation.updatedAt = time.now()
        try await store.putOperation(operation, context: write("cancel", context))
        return try JSONAnswer.response(operation)
    }

    // MARK: Tokens

    private func createToken(_ request: Request, _ context: APIContext) async throws -> Response {
        let asked: TokenRequest = try await RequestReader.read(request)
        if let defect = Name.defect(in: asked.name) {
            throw Self.invalid("name", "\"\(asked.name.prefix(80))\" \(defect)")
        }
        guard asked.role != .agentSession else {
            throw Self.invalid(
                "role", "agents get their credential by joining; choose admin, operator or viewer")
        }
        if let ttl = asked.ttlSeconds, !(1...Self.longestTTL).contains(ttl) {
            throw Self.invalid("ttlSeconds", "\(ttl) is outside 1 to \(Self.longestTTL)")
        }
        let projects = try await projects(of: asked)
        let secret = secrets.next()
        let token = AccessToken(
            name: asked.name, role: asked.role, projects: projects, secretHash: Authenticator.hash(secret),
            expiresAt: asked.ttlSeconds.map { time.now().advanced(by: .seconds($0)) })
        try await store.createToken(token, context: write("create", context))
        return try JSONAnswer.response(
            TokenResponse(
                name: token.name, role: token.role, projects: projects, secret: secret,
                expiresAt: token.expiresAt),
            status: .created)
    }

    /// Projects that a new token is bound to, sorted: an empty list or one with a slip would bind it to less
    /// than was meant.
    private func projects(of asked: TokenRequest) async throws -> [String]? {
        guard let names = asked.projects else { return nil }
        guard asked.role != .admin else {
            throw Self.invalid("projects", "an admin reaches the whole fleet; choose operator or viewer")
        }
        guard (1...RequestLimit.tokenProjects).contains(names.count) else {
            throw Self.invalid(
                "projects", "\(names.count) projects; name 1 to \(RequestLimit.tokenProjects)")
        }
        for (index, name) in names.enumerated() {
            let isName = Name.defect(in: name) == nil
            guard isName, try await store.document(.project, project: nil, name: name) != nil else {
                throw Problem(
                    .invalid, detail: "the request is not valid",
                    causes: [
                        FieldDefect(
                            field: "projects[\(index)]", code: .notFound,
                            message: "there is no Project \"\(name.prefix(80))\"")
                    ])
            }
        }
        return Set(names).sorted()
    }

    private func createJoinToken(_ request: Request, _ context: APIContext) async throws -> Response {
        let asked: JoinTokenRequest = try await RequestReader.read(request)
        guard (1...86_400).contains(asked.ttlSeconds) else {
            throw Self.invalid("ttlSeconds", "\(asked.ttlSeconds) is outside 1 to 86400")
        }
        let stem = asked.hosts.hasSuffix("*") ? String(asked.hosts.dropLast()) : asked.hosts
        let isWhole = stem.count == asked.hosts.count
        if stem.contains("*") || Name.defect(in: isWhole ? stem : stem + "0") != nil {
            throw Self.invalid(
                "hosts", "\"\(asked.hosts.prefix(80))\" is no host name, or prefix followed by *")
        }
        let secret = secrets.next()
        try await store.createJoinToken(
            JoinToken(
                secretHash: Authenticator.hash(secret), cell: asked.cell, pool: asked.pool,
                hostPattern: asked.hosts,
                lifetime: .seconds(asked.ttlSeconds)),
            context: write("create", context))
        return try JSONAnswer.response(
            JoinTokenResponse(secret: secret, expiresAt: time.now().advanced(by: .seconds(asked.ttlSeconds))),
            status: .created)
    }

    /// Ten years in seconds; who wants longer wants no end.
    private static let longestTTL = 315_360_000

    private static func invalid(_ field: String, _ message: String) -> Problem {
        Problem(
            .invalid, detail: "the request is not valid",
            causes: [FieldDefect(field: field, code: .invalid, message: message)])
    }
}
