internal import APITypes
internal import Control
internal import Fleet
internal import Foundation
internal import Hummingbird
internal import Store

/// Ratios of oversubscription: what is in force and why, what was decided, and what people say to it.
struct OversubscriptionRoutes {
    let store: any Store
    let explainer: RateExplainer
    let ids: any IDSource
    let time: Timekeeper

    func add(to router: some RouterMethods<APIContext>) {
        router.get("/v1/oversubscription") { request, _ in
            let cell = request.uri.queryParameters["cell"].map(String.init)
            return try await self.list(try await self.explainer.all(cell: cell))
        }
        router.get("/v1/oversubscription/scopes/:level/:name") { _, context in
            try JSONAnswer.response(try await self.explainer.explanation(of: try Self.scope(context)))
        }
        router.get("/v1/oversubscription/scopes/:level/:name/risk") { _, context in
            try JSONAnswer.response(try await self.explainer.risk(of: try Self.scope(context)))
        }
        router.post("/v1/oversubscription/scopes/:level/:name/what-if") { request, context in
            try await self.whatIf(request, context)
        }
        router.get("/v1/projects/:project/vms/:name/oversubscription") { _, context in
            try await self.explainVM(context)
        }
        router.get("/v1/oversubscription/decisions") { request, _ in
            try await self.list(try await self.store.decisions(try Self.query(request)))
        }
        router.get("/v1/oversubscription/constraints") { _, _ in
            try await self.list(try await self.store.constraints(ended: false))
        }
        router.post("/v1/oversubscription/constraints") { request, context in
            try await self.constrain(request, context)
        }
        router.post("/v1/oversubscription/constraints/:id/end") { request, context in
            try await self.end(request, context)
        }
        router.get("/v1/oversubscription/reviews") { _, _ in
            let open = try await self.store.decisions(
                DecisionQuery(states: [.proposed], limit: Self.mostCards))
            return try await self.list(open.filter(\.isCard))
        }
        router.post("/v1/oversubscription/reviews/:id/approve") { request, context in
            try await self.approve(request, context)
        }
    }

    /// Cards that one answer shows: nobody reviews more at once.
    private static let mostCards = 1000

    private func list(_ items: [some Encodable]) async throws -> Response {
        try JSONAnswer.list(
            items.map { try JSONAnswer.text($0) }, nextCursor: nil,
            resourceVersion: try await store.feedPosition().text)
    }

    private func write(_ verb: String, _ context: APIContext) -> WriteContext {
        WriteContext(actor: context.caller?.actor ?? "unknown", requestID: context.requestID, verb: verb)
    }

    private static func id<Subject>(_ context: APIContext, _ what: String) throws -> ID<Subject> {
        let text = try context.parameters.require("id")
        guard let id = ID<Subject>(text) else {
            throw Problem(.notFound, detail: "\"\(text.prefix(80))\" is not the id of a \(what)")
        }
        return id
    }

    private static func scope(_ context: APIContext) throws -> RateScope {
        let (level, name) = (
            try context.parameters.require("level"), try context.parameters.require("name")
        )
        guard let word = RateScope.Level(rawValue: level) else {
            throw Problem(
                .notFound, detail: Self.refusal("level", level, among: RateScope.Level.offered))
        }
        return RateScope(word, name)
    }

    private static func refusal(_ what: String, _ text: String, among words: [String]) -> String {
        let nearest = NearestChoice.of(text, among: words).map { "; did you mean \"\($0)\"?" } ?? ""
        return "\(what) \"\(text.prefix(80))\" is not one of \(words.joined(separator: ", "))\(nearest)"
    }

    private func whatIf(_ request: Request, _ context: APIContext) async throws -> Response {
        let scope = try Self.scope(context)
        let asked: WhatIfRequest = try await RequestReader.read(request)
        let causes = asked.defects(days: RateForecaster.days)
        guard causes.isEmpty else {
            throw Problem(.invalid, detail: "the request is not valid", causes: causes)
        }
        let found = try await RateForecaster(store: store).whatIf(
            scope, policy: asked.policy, rules: asked.rules, days: asked.days ?? Self.usualDays)
        return try JSONAnswer.response(found)
    }

    /// Four weeks have seen a month's end.
    private static let usualDays = 28

    private func explainVM(_ context: APIContext) async throws -> Response {
        let name = try context.parameters.require("name")
        let project = try context.parameters.require("project")
        guard let vm = try await store.document(.vm, project: project, name: name) else {
            throw StoreError.notFound(kind: .vm, name: name)
        }
        guard let found = try await explainer.explanation(ofVM: vm.metadata.uid) else {
            throw Problem(.guardRefused, detail: "VM \(name) is on no host; ask why it waits")
        }
        return try JSONAnswer.response(found)
    }

    private static func query(_ request: Request) throws -> DecisionQuery {
        let given = request.uri.queryParameters
        var query = DecisionQuery(cell: given["cell"].map(String.init))
        if let text = given["scope"].map(String.init) {
            guard let scope = RateScope(text) else {
                throw Problem(
                    .unknownParameter, detail: "scope \"\(text.prefix(80))\" is not of the form pool/NAME")
            }
            query.scope = scope
        }
        if let text = given["state"].map(String.init) {
            guard let state = ScopeDecision.State(rawValue: text) else {
                throw Problem(
                    .unknownParameter,
                    detail: Self.refusal("state", text, among: ScopeDecision.State.offered))
            }
            query.states = [state]
        }
        query.limit = try ListParameters(request, fields: [], takesCursor: false).limit
        return query
    }

    private func constrain(_ request: Request, _ context: APIContext) async throws -> Response {
        let asked: ConstraintRequest = try await RequestReader.read(request)
        let causes = asked.defects()
        guard causes.isEmpty, let scope = RateScope(asked.scope) else {
            throw Problem(.invalid, detail: "the request is not valid", causes: causes)
        }
        let now = time.now()
        let write = write(asked.verb.rawValue, context)
        let constraint = ScopeConstraint(
            id: ID(ids.next()), scope: scope, verb: asked.verb, ratioPerMille: asked.ratioPerMille,
            prototypes: asked.prototypes, author: write.actor, reason: asked.reason, createdAt: now,
            expiresAt: asked.ttlSeconds.map { now.advanced(by: .seconds($0)) })
        let written = try await store.constrain(
            constraint, context: write, isTrial: try DocumentRoutes.isDryRun(request))
        return try JSONAnswer.response(written)
    }

    /// - Throws: `Problem` without a reason.
    private static func reason(_ request: Request, _ what: String) async throws -> String {
        let asked: ReasonRequest = try await RequestReader.read(request)
        let length = asked.reason.unicodeScalars.count
        guard !(1...RatioLimit.reason).contains(length) else { return asked.reason }
        let cause =
            length == 0
            ? FieldDefect(field: "reason", code: .required, message: what)
            : FieldDefect(
                field: "reason", code: .outOfRange, message: "is longer than \(RatioLimit.reason) characters")
        throw Problem(.invalid, detail: "the request is not valid", causes: [cause])
    }

    private func end(_ request: Request, _ context: APIContext) async throws -> Response {
        let reason = try await Self.reason(request, "say why it is over")
        let id: ID<ScopeConstraint> = try Self.id(context, "constraint")
        guard var constraint = try await store.constraints(ended: false).first(where: { $0.id == id }) else {
            throw Problem(.notFound, detail: "there is no constraint \(id) in force")
        }
        try await store.unconstrain(
            id, reason: reason, context: write("end-constraint", context),
            isTrial: try DocumentRoutes.isDryRun(request))
        constraint.endedAt = time.now()
        return try JSONAnswer.response(constraint)
    }

    private func approve(_ request: Request, _ context: APIContext) async throws -> Response {
        let reason = try await Self.reason(request, "say why it is safe")
        let id: ID<ScopeDecision> = try Self.id(context, "review")
        let isTrial = try DocumentRoutes.isDryRun(request)
        guard let card = try await store.decisions(DecisionQuery(id: id)).first, card.isCard || !isTrial
        else {
            throw Problem(.notFound, detail: "there is no review \(id)")
        }
        let approved = try await store.approve(
            id, reason: reason, context: write("approve", context), isTrial: isTrial)
        guard approved.state == .approved else {
            throw Problem(
                .guardRefused,
                detail:
                    "the proposal for \(approved.scope) is \(approved.state.rawValue); list the reviews anew")
        }
        return try JSONAnswer.response(approved)
    }
}
