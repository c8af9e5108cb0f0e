internal import APITypes
internal import Control
internal import Fleet
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Store

/// Verbs on hosts that are more than an edit of the spec.
struct HostVerbRoutes {
    let store: any Store
    let ids: any IDSource
    let time: Timekeeper

    func add(to router: some RouterMethods<APIContext>) {
        router.post("/v1/hosts/:name/cordon") { request, context in
            let verb = try await Self.verb(request, reasonRequired: true)
            return try JSONAnswer.response(
                try await self.change("cordon", context) { spec in
                    spec.cordoned = true
                    spec.cordonReason = verb.reason
                })
        }
        router.post("/v1/hosts/:name/uncordon") { request, context in
            _ = try await Self.verb(request, reasonRequired: false)
            return try JSONAnswer.response(
                try await self.change("uncordon", context) { spec in
                    spec.cordoned = nil
                    spec.draining = nil
                    spec.cordonReason = nil
                })
        }
        router.post("/v1/hosts/:name/drain") { request, context in try await self.drain(request, context) }
        router.post("/v1/hosts/:name/fence") { request, context in try await self.fence(request, context) }
    }

    private static func verb(_ request: Request, reasonRequired: Bool) async throws -> HostVerbRequest {
        let body = try await request.body.collect(upTo: RequestLimit.documentBytes)
        if !reasonRequired, body.readableBytes == 0 { return HostVerbRequest(reason: "") }
        let verb: HostVerbRequest = try RequestReader.read(Data(body.readableBytesView))
        if reasonRequired, verb.reason.isEmpty {
            throw Problem(
                .invalid, detail: "a reason is required",
                causes: [
                    FieldDefect(
                        field: "reason", code: .required, message: "say why, for whoever finds the host so")
                ])
        }
        return verb
    }

    private func write(_ verb: String, _ context: APIContext) -> WriteContext {
        WriteContext(actor: context.caller?.actor ?? "unknown", requestID: context.requestID, verb: verb)
    }

    private func change(
        _ verb: String, _ context: APIContext, _ edit: @Sendable @escaping (inout HostSpec) -> Void
    ) async throws -> Resource {
        try await store.update(
            .host, project: nil, name: try context.parameters.require("name"), precondition: .none,
            context: write(verb, context)
        ) { resource in
            var spec = try JSONDecoder().decode(HostSpec.self, from: Data(resource.spec.utf8))
            edit(&spec)
            resource.spec = try JSONAnswer.text(spec)
        }
    }

    private func drain(_ request: Request, _ context: APIContext) async throws -> Response {
        let verb = try await Self.verb(request, reasonRequired: true)
        let name = try context.parameters.require("name")
        let now = time.now()
        // The operation first: should we stop here, it says "running" of a drain that an operator can repeat,
        // never a drain that nobody can follow.
        let operation = OperationRecord(
            id: ID(ids.next()), verb: "host.drain", target: name, state: .running, message: "begins",
            createdAt: now,
            updatedAt: now)
        guard try await store.document(.host, project: nil, name: name) != nil else {
            throw StoreError.notFound(kind: .host, name: name)
        }
        try await store.putOperation(operation, context: write("drain", context))
        _ = try await change("drain", context) { spec in
            spec.draining = true
            spec.cordonReason = verb.reason
        }
        return try JSONAnswer.response(
            operation, status: .accepted, headers: [.location: "/v1/operations/\(operation.id)"])
    }

    /// An operator vouches that nothing runs on a host that lost contact; its workloads may start elsewhere.
    private func fence(_ request: Request, _ context: APIContext) async throws -> Response {
        let verb = try await Self.verb(request, reasonRequired: true)
        let name = try context.parameters.require("name")
        guard verb.confirm == true else {
            throw Problem(
                .guardRefused,
                detail:
                    "fencing starts workloads elsewhere: confirm that \(name) is powered off with confirm: true"
            )
        }
        guard let resource = try await store.document(.host, project: nil, name: name),
            let host = try await store.hosts(.ids([resource.metadata.uid])).first
        else { throw StoreError.notFound(kind: .host, name: name) }
        guard host.contact != .ready else {
            throw Problem(.guardRefused, detail: "\(name) renews its lease: it runs; drain it instead")
        }
        guard let lease = try await store.leases().first(where: { $0.lease.cell == host.cell })?.lease else {
            throw Problem(.unavailable, detail: "no controller holds the cell \(host.cell); try again")
        }
        let released = try await store.releaseFenced(
            host: host.id, everything: true, lease: lease, context: write("fence", context))
        return try JSONAnswer.response(["released": released.map(\.description)])
    }
}
