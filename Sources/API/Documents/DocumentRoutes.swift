internal import APITypes
internal import Control
internal import AgentProtocol
internal import Fleet
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Store

/// create, get, list, watch, replace, patch, delete: one implementation for every kind of document.
struct DocumentRoutes {
    let store: any Store
    let watcher: Watcher
    let explainer: PlacementExplainer
    let training: TrainingExplainer
    let ids: any IDSource
    let time: Timekeeper

    func add(to router: some RouterMethods<APIContext>) {
        for kind in Kind.allCases where kind.isDocument {
            let plural = kind.plural
            if kind.isTenant {
                let path = RouterPath(stringLiteral: "/v1/projects/:project/\(plural)")
                add(kind, to: router.group(path))
                // Over all projects, reading only.
                router.get(RouterPath(stringLiteral: "/v1/\(plural)")) { request, context in
                    try await self.list(kind, project: nil, request, context)
                }
            } else {
                add(kind, to: router.group(RouterPath(stringLiteral: "/v1/\(plural)")))
            }
        }
        addModels(to: router)
        addServing(to: router)
        router.get("/v1/projects/:project/vms/:name/why") { request, context in
            try await self.why(request, context)
        }
        router.get("/v1/projects/:project/vmgroups/:name/why") { request, context in
            try await self.whyGroup(request, context)
        }
        router.get("/v1/projects/:project/trainingjobs/:name/why") { request, context in
            try await self.whyTraining(request, context)
        }
        router.post("/v1/pools/:name/trainingplan") { request, context in
            try await self.planTraining(request, context)
        }
    }

    private func add(_ kind: Kind, to group: RouterGroup<APIContext>) {
        group.get { request, context in
            try await self.list(kind, project: try Self.project(kind, context), request, context)
        }
        group.post { request, context in
            kind == .model
                ? try await self.createModel(request, context) : try await self.create(kind, request, context)
        }
        // A project's own name and that of its documents share a place in the path, so they share the
        // parameter.
        let item = RouterPath(stringLiteral: kind == .project ? ":project" : ":name")
        group.get(item) { request, context in
            try JSONAnswer.response(try await self.existing(kind, context))
        }
        group.put(item) { request, context in try await self.replace(kind, request, context) }
        group.patch(item) { request, context in try await self.patch(kind, request, context) }
        group.delete(item) { request, context in try await self.delete(kind, request, context) }
        if kind.keepsHistory { addHistory(kind, to: group) }
    }

    // MARK: Reading

    func existing(
        _ kind: Kind, _ context: APIContext, _ precondition: Precondition = .none
    ) async throws -> Resource {
        let name = try Self.name(kind, context)
        guard
            let resource = try await store.document(
                kind, project: try Self.project(kind, context), name: name)
        else { throw StoreError.notFound(kind: kind, name: name) }
        if case .entityTag(let tag) = precondition, tag != resource.metadata.entityTag {
            throw StoreError.preconditionFailed(current: resource.metadata.entityTag)
        }
        return resource
    }

    private func list(_ kind: Kind, project: String?, _ request: Request, _ context: APIContext) async throws
        -> Response
    {
        let parameters = try ListParameters(request, fields: ["name", "cell"] + kind.selectableFields)
        if let watch = parameters.watch {
            return try await watcher.answer(
                watch, since: parameters.since ?? "",
                scope: Watcher.Scope(
                    kind: kind, project: project, projects: context.caller?.projects,
                    labels: parameters.labels, fields: parameters.fields))
        }
        var query = ListQuery(
            kind: kind, project: project, labels: parameters.labels,
            name: parameters.fields["name"],
            cell: parameters.fields["cell"], after: parameters.after,
            projects: kind.isTenant || kind == .project ? context.caller?.projects?.sorted() : nil,
            limit: parameters.limit)
        query.fields = parameters.fields.filter { kind.selectableFields.contains($0.key) }
        let page = try await store.list(query)
        return try JSONAnswer.list(
            page.documents.map(JSONAnswer.document),
            nextCursor: page.more ? page.documents.last.map { ListParameters.cursor($0.metadata) } : nil,
            resourceVersion: page.position.text)
    }

    private func why(_ request: Request, _ context: APIContext) async throws -> Response {
        let resource = try await existing(.vm, context)
        let answer = try await explainer.answer(for: resource)
        let scheduled = answer.status.conditions.first { $0.type == .scheduled }
        let running = answer.status.conditions.first { $0.type == .running }
        let decisive = answer.status.state == .pending ? scheduled : running
        return try JSONAnswer.response(
            WhyResponse(
                kind: .vm, project: resource.metadata.project, name: resource.metadata.name,
                state: answer.status.state, reason: decisive?.reason ?? .waitingForPlacement,
                message: decisive?.message ?? "no controller has looked at it yet",
                queuePosition: answer.queuePosition, explanation: answer.explanation,
                estimate: answer.estimate, stays: answer.stays))
    }

    // MARK: Writing

    func write(_ verb: String, _ context: APIContext) -> WriteContext {
        WriteContext(
            actor: context.caller?.actor ?? "unknown", requestID: context.requestID, verb: verb)
    }

    private func create(_ kind: Kind, _ request: Request, _ context: APIContext) async throws -> Response {
        let body = try await request.body.collect(upTo: context.maxUploadSize)
        let project = try Self.project(kind, context)
        let accepted = try DraftReader.read(Data(body.readableBytesView), kind: kind, project: project)
        let draft = DocumentDraft(
            uid: ID(ids.next()), kind: kind, project: project, name: accepted.metadata.name,
            labels: accepted.metadata.labels ?? [:], annotations: accepted.metadata.annotations ?? [:],
            finalizers: Self.finalizers(of: kind), spec: accepted.spec)
        try Self.checkMadeByUsers(draft)
        if try Self.isDryRun(request) { return try await trial(draft) }
        var resource: Resource
        var replayed = false
        if let key = try IdempotencyKey(request, body: body) {
            (resource, replayed) = try await store.create(
                draft, key: key, context: write("create", context))
        } else {
            guard let made = try await store.create([draft], context: write("create", context)).first else {
                throw StoreError.corrupt("a created document is missing")
            }
            resource = made
        }
        var response = try JSONAnswer.response(resource, status: .created)
        let prefix = project.map { "/v1/projects/\($0)" } ?? "/v1"
        response.headers[.location] = "\(prefix)/\(kind.plural)/\(resource.metadata.name)"
        if replayed { response.headers[.replayed] = "true" }
        return response
    }

    /// What a creation would give: the document, and for a VM where it would go.
    private func trial(_ draft: DocumentDraft) async throws -> Response {
        if try await store.document(draft.kind, project: draft.project, name: draft.name) != nil {
            throw StoreError.alreadyExists(kind: draft.kind, name: draft.name)
        }
        let resource = Resource(
            kind: draft.kind,
            metadata: Metadata(
                name: draft.name, uid: draft.uid, project: draft.project, labels: draft.labels,
                annotations: draft.annotations, createdAt: time.now(), finalizers: draft.finalizers),
            spec: draft.spec)
        let plan = draft.kind == .vmGroup ? try await explainer.trial(group: resource) : nil
        let explanation =
            draft.kind == .vm
            ? try await explainer.trial(resource) : plan?.report.unplaced.first?.explanation
        let text =
            try (explanation.map { ",\"explanation\":\(try JSONAnswer.text($0))" } ?? "")
            + (plan.map { ",\"plan\":\(try JSONAnswer.text($0))" } ?? "")
        return JSONAnswer.response("{\"document\":\(try JSONAnswer.document(resource))\(text)}")
    }

    private func replace(_ kind: Kind, _ request: Request, _ context: APIContext) async throws -> Response {
        let body = try await request.body.collect(upTo: context.maxUploadSize)
        let name = try Self.name(kind, context)
        let accepted = try DraftReader.read(
            Data(body.readableBytesView), kind: kind, project: try Self.project(kind, context))
        guard accepted.metadata.name == name else {
            throw Problem(
                .invalid, detail: "the body names another object",
                causes: [
                    FieldDefect(
                        field: "metadata.name", code: .immutable,
                        message: "\"\(accepted.metadata.name)\" was sent to \"\(name)\"")
                ])
        }
        return try await update(kind, request, context, verb: "replace") { resource in
            try Self.checkImmutable(kind, from: resource.spec, to: accepted.spec)
            resource.spec = accepted.spec
            resource.metadata.labels = accepted.metadata.labels ?? [:]
            resource.metadata.annotations = accepted.metadata.annotations ?? [:]
        }
    }

    private func patch(_ kind: Kind, _ request: Request, _ context: APIContext) async throws -> Response {
        let body = try await request.body.collect(upTo: context.maxUploadSize)
        let patch: JSONValue = try RequestReader.decode(Data(body.readableBytesView))
        return try await update(kind, request, context, verb: "patch") { resource in
            try MergePatch.apply(patch, to: &resource)
        }
    }

    func update(
        _ kind: Kind, _ request: Request, _ context: APIContext, verb: String,
        change: @Sendable @escaping (inout Resource) throws -> Void
    ) async throws -> Response {
        let precondition = try Self.precondition(request, anyAllowed: false)
        if try Self.isDryRun(request) {
            var resource = try await existing(kind, context, precondition)
            try change(&resource)
            return JSONAnswer.response("{\"document\":\(try JSONAnswer.document(resource))}")
        }
        let resource = try await store.update(
            kind, project: try Self.project(kind, context), name: try Self.name(kind, context),
            precondition: precondition, context: write(verb, context), change: change)
        return try JSONAnswer.response(resource)
    }

    private func delete(_ kind: Kind, _ request: Request, _ context: APIContext) async throws -> Response {
        let precondition = try Self.precondition(request, anyAllowed: true)
        if try Self.isDryRun(request) {
            return JSONAnswer.response(
                "{\"document\":\(try JSONAnswer.document(try await existing(kind, context, precondition)))}")
        }
        let (resource, removed) = try await store.delete(
            kind, project: try Self.project(kind, context), name: try Self.name(kind, context),
            precondition: precondition, context: write("delete", context))
        if removed { return Response(status: .noContent) }
        return try JSONAnswer.response(resource)
    }

    // MARK: Headers and parameters

    static func project(_ kind: Kind, _ context: APIContext) throws -> String? {
        guard kind.isTenant, let project = context.parameters.get("project") else { return nil }
        guard Name.defect(in: project) == nil else {
            throw StoreError.notFound(kind: .project, name: String(project.prefix(80)))
        }
        return project
    }

    /// What is no name names nothing.
    static func name(_ kind: Kind, _ context: APIContext) throws -> String {
        let name = try context.parameters.require(kind == .project ? "project" : "name")
        guard Name.defect(in: name) == nil else {
            throw StoreError.notFound(kind: kind, name: String(name.prefix(80)))
        }
        return name
    }

    static func isDryRun(_ request: Request) throws -> Bool {
        switch request.uri.queryParameters["dryRun"] {
        case nil, "false": return false
        case "true": return true
        case .some(let text):
            throw Problem(.malformedRequest, detail: "dryRun is \"\(text)\"; it must be true or false")
        }
    }

    static func precondition(_ request: Request, anyAllowed: Bool) throws -> Precondition {
        guard let header = request.headers[.ifMatch] else {
            throw Problem(.preconditionRequired, detail: "send If-Match with the object's ETag")
        }
        let tag = header.trimmingCharacters(in: .whitespaces)
        if tag == "*" {
            guard anyAllowed else {
                throw Problem(
                    .preconditionRequired, detail: "If-Match: * is allowed for DELETE only; send the ETag")
            }
            return .none
        }
        return .entityTag(tag.trimmingCharacters(in: CharacterSet(charactersIn: "\"")))
    }
}

extension HTTPField.Name {
    static let replayed = HTTPField.Name("Idempotency-Replayed") ?? .server
}
