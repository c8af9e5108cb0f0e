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
    let explainer: PlacementExplainer
    let ids: any IDSource
    let time: Timekeeper

    func add(to router: some RouterMethods<APIContext>) {
        router.post("/v1/hosts/:name/cordon") { request, context in
            let verb = try await Self.verb(request, reasonRequired: true)
            return try await self.answer("cordon", request, context) { spec in
                spec.cordoned = true
                spec.cordonReason = verb.reason
            }
        }
        router.post("/v1/hosts/:name/uncordon") { request, context in
            _ = try await Self.verb(request, reasonRequired: false)
            let now = self.time.now()
            return try await self.answer("uncordon", endsDrains: true, request, context) { spec in
                spec.waiveRepair(at: now)
                spec.cordoned = nil
                spec.draining = nil
                spec.drain = nil
                spec.cordonReason = nil
            }
        }
        router.post("/v1/hosts/:name/undrain") { request, context in
            _ = try await Self.verb(request, reasonRequired: false)
            // One that was cordoned before stays so.
            return try await self.answer("undrain", endsDrains: true, request, context) { spec in
                spec.draining = nil
                spec.drain = nil
                if spec.cordoned != true { spec.cordonReason = nil }
            }
        }
        router.post("/v1/hosts/:name/drain") { request, context in try await self.drain(request, context) }
        router.post("/v1/hosts/:name/preempt") { request, context in
            try await self.preempt(request, context)
        }
        router.get("/v1/pools/:name/defragmentation") { _, context in
            let name = try context.parameters.require("name")
            guard let preview = try await self.explainer.defragmentationTrial(ofPool: name) else {
                throw StoreError.notFound(kind: .pool, name: name)
            }
            return try JSONAnswer.response(preview)
        }
        router.post("/v1/hosts/:name/repair") { request, context in
            let verb = try await Self.verb(request, reasonRequired: true)
            let now = self.time.now()
            return try await self.answer("repair", request, context) { spec in
                // One that is out already stays so, and is not mended any more.
                let evidence = spec.repair.flatMap { $0.state == .waived ? nil : $0.evidence }
                spec.openRepair(verb.reason, evidence: evidence, at: now)
            }
        }
        router.post("/v1/hosts/:name/repaired") { request, context in
            _ = try await Self.verb(request, reasonRequired: false)
            let name = try context.parameters.require("name")
            let now = self.time.now()
            return try await self.answer("repaired", request, context) { spec in
                guard let repair = spec.repair, repair.state != .waived else {
                    throw Problem(
                        .guardRefused, detail: "\(name) is not to be mended; see its condition Repair")
                }
                spec.markRepaired(at: now)
            }
        }
        router.post("/v1/hosts/:name/fence") { request, context in try await self.fence(request, context) }
    }

    static func verb(_ request: Request, reasonRequired: Bool) async throws -> HostVerbRequest {
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

    /// Edits the host, or answers what it would be.
    private func answer(
        _ verb: String, endsDrains: Bool = false, _ request: Request, _ context: APIContext,
        _ edit: @Sendable @escaping (inout HostSpec) throws -> Void
    ) async throws -> Response {
        if try DocumentRoutes.isDryRun(request) {
            let name = try context.parameters.require("name")
            guard var host = try await store.document(.host, project: nil, name: name) else {
                throw StoreError.notFound(kind: .host, name: name)
            }
            try Self.apply(edit, to: &host)
            return JSONAnswer.response("{\"document\":\(try JSONAnswer.document(host))}")
        }
        let host = try await change(verb, context, edit)
        if endsDrains { try await endDrains(of: host.metadata.name, context) }
        return try JSONAnswer.response(host)
    }

    private func change(
        _ verb: String, _ context: APIContext, _ edit: @Sendable @escaping (inout HostSpec) throws -> Void
    ) async throws -> Resource {
        try await store.update(
            .host, project: nil, name: try context.parameters.require("name"), precondition: .none,
            context: write(verb, context)
        ) { resource in try Self.apply(edit, to: &resource) }
    }

    private static func apply(_ edit: (inout HostSpec) throws -> Void, to host: inout Resource) throws {
        var spec = try JSONDecoder().decode(HostSpec.self, from: Data(host.spec.utf8))
        try edit(&spec)
        host.spec = try JSONAnswer.text(spec)
    }

    private func drain(_ request: Request, _ context: APIContext) async throws -> Response {
        let verb = try await Self.verb(request, reasonRequired: true)
        let name = try context.parameters.require("name")
        guard let resource = try await store.document(.host, project: nil, name: name),
            let host = try await store.hosts(.ids([resource.metadata.uid])).first
        else { throw StoreError.notFound(kind: .host, name: name) }
        let now = try await store.clusterState().fleetTime(at: time.now())
        let drain = try Self.drain(verb, now: now)
        return try await begin(drain, reason: verb.reason, host, resource, now, request, context)
    }

    private func begin(
        _ drain: DrainSpec?, reason: String, _ host: HostRecord, _ resource: Resource, _ now: Timestamp,
        _ request: Request, _ context: APIContext
    ) async throws -> Response {
        let name = host.name
        if try DocumentRoutes.isDryRun(request) {
            var spec = try JSONDecoder().decode(HostSpec.self, from: Data(resource.spec.utf8))
            spec.drain = drain
            return try JSONAnswer.response(try await explainer.drainTrial(of: host, spec: spec, now: now))
        }
        // The operation first: should we stop here, it says "running" of a drain that an operator can repeat,
        // never a drain that nobody can follow. A drain that runs already is changed and followed.
        let running = try await runningDrains(of: name).first
        let operation =
            running
            ?? OperationRecord(
                id: ID(ids.next()), verb: "host.drain", target: name, state: .running, message: "begins",
                createdAt: time.now(), updatedAt: time.now())
        context.account.note(operation.id)
        if running == nil { try await store.putOperation(operation, context: write("drain", context)) }
        _ = try await change("drain", context) { spec in
            spec.draining = true
            spec.drain = drain
            spec.cordonReason = reason
        }
        return try JSONAnswer.response(
            operation, status: .accepted, headers: [.location: "/v1/operations/\(operation.id)"])
    }

    /// The machine will be taken away, whatever runs on it: it is emptied until then, windows or not, and
    /// what is left stops.
    private func preempt(_ request: Request, _ context: APIContext) async throws -> Response {
        let notice: PreemptionNotice = try await RequestReader.read(request)
        let name = try context.parameters.require("name")
        guard let resource = try await store.document(.host, project: nil, name: name),
            let host = try await store.hosts(.ids([resource.metadata.uid])).first
        else { throw StoreError.notFound(kind: .host, name: name) }
        let now = try await store.clusterState().fleetTime(at: time.now())
        let drain = DrainSpec(
            deadline: try Self.end(notice, now: now), atDeadline: .stop, force: true, purpose: .preemption)
        return try await begin(drain, reason: notice.reason, host, resource, now, request, context)
    }

    private static func end(_ notice: PreemptionNotice, now: Timestamp) throws -> Timestamp {
        var causes: [FieldDefect] = []
        if notice.reason.isEmpty {
            causes.append(
                .init(field: "reason", code: .required, message: "say why, for whoever finds the host so"))
        }
        var end = notice.at
        switch (notice.at, notice.inSeconds) {
        case (nil, nil):
            causes.append(.init(field: "at", code: .required, message: "say when, by at or inSeconds"))
        case (.some, .some):
            causes.append(
                .init(field: "inSeconds", code: .conflict, message: "give at or inSeconds, not both"))
        case (nil, .some(let seconds)):
            guard (0...longestDeadline).contains(seconds) else {
                causes.append(
                    .init(
                        field: "inSeconds", code: .outOfRange,
                        message: "\(seconds) is outside 0 to \(longestDeadline)"))
                break
            }
            end = now.advanced(by: .seconds(seconds))
        case (.some, nil): break
        }
        guard causes.isEmpty, let end else {
            throw Problem(.invalid, detail: "the notice is not valid", causes: causes)
        }
        return end
    }

    private static func drain(_ verb: HostVerbRequest, now: Timestamp) throws -> DrainSpec? {
        var causes = [("deadlineSeconds", verb.deadlineSeconds), ("dueSeconds", verb.dueSeconds)].compactMap {
            field, seconds in
            seconds.flatMap { seconds in
                (1...longestDeadline).contains(seconds)
                    ? nil
                    : FieldDefect(
                        field: field, code: .outOfRange,
                        message: "\(seconds) is outside 1 to \(longestDeadline)")
            }
        }
        if verb.due != nil, verb.dueSeconds != nil {
            causes.append(
                FieldDefect(field: "dueSeconds", code: .conflict, message: "give due or dueSeconds, not both")
            )
        }
        let drain = DrainSpec(
            due: verb.due ?? verb.dueSeconds.map { now.advanced(by: .seconds(min($0, longestDeadline))) },
            deadline: verb.deadlineSeconds.map { now.advanced(by: .seconds(min($0, longestDeadline))) },
            atDeadline: verb.atDeadline,
            maxParallel: verb.maxParallel, force: verb.force)
        causes += drain.defects(at: "drain")
        if !causes.isEmpty { throw Problem(.invalid, detail: "the request is not valid", causes: causes) }
        return drain == DrainSpec() ? nil : drain
    }

    /// A year: what is due later is no drain.
    private static let longestDeadline = 366 * 86_400

    private func runningDrains(of host: String) async throws -> [OperationRecord] {
        try await store.operations(limit: Self.operationsLooked).filter {
            $0.verb == "host.drain" && $0.target == host && $0.state == .running
        }
    }

    /// What moved stays where it is.
    private func endDrains(of host: String, _ context: APIContext) async throws {
        for var operation in try await runningDrains(of: host) {
            context.account.note(operation.id)
            operation.state = .cancelled
            operation.message = "taken back; what has moved stays where it is"
            operation.updatedAt = time.now()
            try await store.putOperation(operation, context: write("undrain", context))
        }
    }

    /// Newest operations among which a running drain is looked for.
    private static let operationsLooked = 1000

    /// An operator vouches that nothing runs on a host that lost contact; its workloads may start elsewhere.
    private func fence(_ request: Request, _ context: APIContext) async throws -> Response {
        let verb = try await Self.verb(request, reasonRequired: true)
        let name = try context.parameters.require("name")
        let isTrial = try DocumentRoutes.isDryRun(request)
        guard verb.confirm == true || isTrial else {
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
        if isTrial {
            let held = try await store.allocations(.hosts([host.id])).filter(\.state.consumesCapacity)
            return try JSONAnswer.response(["released": held.map(\.id.description).sorted()])
        }
        guard let lease = try await store.leases().first(where: { $0.lease.cell == host.cell })?.lease else {
            throw Problem(.unavailable, detail: "no controller holds the cell \(host.cell); try again")
        }
        let released = try await store.releaseFenced(
            host: host.id, everything: true, lease: lease, context: write("fence", context))
        return try JSONAnswer.response(["released": released.map(\.description)])
    }
}
