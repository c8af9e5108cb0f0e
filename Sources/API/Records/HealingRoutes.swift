internal import APITypes
internal import Control
internal import Fleet
internal import Foundation
internal import Hummingbird
internal import Store

/// What only a person decides: that lost hosts are lost, and what becomes of parts that nobody expected to
/// run.
struct HealingRoutes {
    let store: any Store

    func add(to router: some RouterMethods<APIContext>) {
        router.get("/v1/breakers") { _, _ in
            let breakers = try await self.store.breakers().map {
                BreakerSummary(
                    cell: $0.cell, zone: $0.zone, since: $0.since, lost: $0.lost, hosts: $0.hosts)
            }
            return try JSONAnswer.list(
                breakers.map(JSONAnswer.text), nextCursor: nil,
                resourceVersion: try await self.store.feedPosition().text)
        }
        router.post("/v1/cells/:name/breaker/reset") { request, context in
            try await self.reset(request, context)
        }
        router.post("/v1/allocations/:id/adopt") { request, context in
            _ = try await HostVerbRoutes.verb(request, reasonRequired: false)
            let isTrial = try DocumentRoutes.isDryRun(request)
            return try JSONAnswer.response(
                try await self.adopt(try Self.id(context), isTrial: isTrial, context))
        }
        router.post("/v1/allocations/:id/release") { request, context in
            let verb = try await HostVerbRoutes.verb(request, reasonRequired: true)
            let id = try Self.id(context)
            let isTrial = try DocumentRoutes.isDryRun(request)
            guard verb.confirm == true || isTrial else {
                throw Problem(
                    .guardRefused,
                    detail: "releasing stops what runs under allocation \(id): confirm with confirm: true")
            }
            return try JSONAnswer.response(
                try await self.store.stop(
                    id, context: self.write("release", context), isTrial: isTrial))
        }
    }

    private static func id(_ context: APIContext) throws -> ID<Allocation> {
        let text = try context.parameters.require("id")
        guard let id = ID<Allocation>(text) else {
            throw Problem(.notFound, detail: "\"\(text.prefix(80))\" is not the id of an allocation")
        }
        return id
    }

    private func write(_ verb: String, _ context: APIContext) -> WriteContext {
        WriteContext(actor: context.caller?.actor ?? "unknown", requestID: context.requestID, verb: verb)
    }

    /// The operator confirms that the silent hosts of a zone are lost, so that they may be fenced.
    private func reset(_ request: Request, _ context: APIContext) async throws -> Response {
        let asked: BreakerResetRequest = try await RequestReader.read(request)
        guard !asked.reason.isEmpty else {
            throw Problem(
                .invalid, detail: "a reason is required",
                causes: [
                    FieldDefect(
                        field: "reason", code: .required, message: "say how you know that they are lost")
                ])
        }
        let cell = try context.parameters.require("name")
        let confirmed = try await store.resetBreaker(
            cell: cell, zone: asked.zone, context: write("breaker-reset", context),
            isTrial: try DocumentRoutes.isDryRun(request))
        return try JSONAnswer.response(
            BreakerResetResponse(cell: cell, zone: asked.zone, confirmed: confirmed))
    }

    /// The VM of an allocation that was found running is made anew where it is gone, as large as what runs.
    private func adopt(
        _ id: ID<Allocation>, isTrial: Bool, _ context: APIContext
    ) async throws -> Allocation {
        guard let found = try await store.allocations(.ids([id])).first else {
            throw StoreError.notFound(kind: .allocation, name: id.description)
        }
        let context = write("adopt", context)
        guard found.workload.kind == .vm else {
            return try await store.adopt(id, draft: nil, context: context, isTrial: isTrial)
        }
        let host = try await store.hosts(.ids([found.host])).first
        let models = (host?.devices ?? []).filter { found.devices.contains($0.uuid) }.map(\.model)
        let devices = Set(models).sorted().map { model in
            DeviceRequest(model: model, count: models.count { $0 == model })
        }
        let spec = VMSpec(
            cell: found.cell, pool: host?.pool, resources: found.resources,
            devices: devices.isEmpty ? nil : devices, class: found.class, onPartition: found.onPartition)
        let draft = DocumentDraft(
            uid: found.workload.uid, kind: .vm, project: found.workload.project, name: found.workload.name,
            finalizers: [Finalizer.allocations], spec: try JSONAnswer.text(spec))
        return try await store.adopt(id, draft: draft, context: context, isTrial: isTrial)
    }
}
