internal import APITypes
internal import FaultLab
internal import Fleet
internal import Foundation
internal import Hummingbird
internal import Store

/// Injected faults: asking for them, ending them, and what injectors tell and are told.
struct FaultRoutes {
    let store: any Store

    func add(to router: some RouterMethods<APIContext>) {
        router.get("/v1/faults") { _, _ in
            try await self.list(try await self.store.faults(limit: Self.mostListed))
        }
        router.post("/v1/faults") { request, context in try await self.create(request, context) }
        router.get("/v1/faults/:name") { _, context in
            let name = try context.parameters.require("name")
            guard let fault = try await self.store.fault(name) else { throw Self.unknown(name) }
            return try JSONAnswer.response(fault)
        }
        router.post("/v1/faults/:name/abort") { request, context in
            let verb: FaultVerb = try await RequestReader.read(request)
            let reason = "\(self.actor(context)): \(verb.reason)"
            return try await self.change("abort", request, context) { book, name, now throws(FaultRefusal) in
                try book.abort(name, reason: reason, at: now)
            }
        }
        router.post("/v1/faults/:name/pause") { request, context in
            try await self.change("pause", request, context) { book, name, now throws(FaultRefusal) in
                try book.pause(name, at: now)
            }
        }
        router.post("/v1/faults/:name/resume") { request, context in
            try await self.change("resume", request, context) { book, name, now throws(FaultRefusal) in
                try book.resume(name, at: now)
            }
        }
        addSwitch(to: router)
        addInjectors(to: router)
    }

    /// Faults that one answer shows.
    private static let mostListed = 500

    private func addSwitch(to router: some RouterMethods<APIContext>) {
        router.get("/v1/faultswitch") { _, _ in
            try JSONAnswer.response(FaultSwitchState(try await self.store.faultBook().book))
        }
        router.post("/v1/faultswitch/engage") { request, context in
            let verb: FaultVerb = try await RequestReader.read(request)
            let actor = self.actor(context)
            let isTrial = try DocumentRoutes.isDryRun(request)
            let book = try await self.edit("kill-switch", "all", context, isTrial: isTrial) {
                book, now throws(FaultRefusal) in
                book.engage(reason: verb.reason, actor: actor, at: now)
                return book
            }
            return try JSONAnswer.response(FaultSwitchState(book))
        }
        router.post("/v1/faultswitch/lift") { request, context in
            let isTrial = try DocumentRoutes.isDryRun(request)
            let book = try await self.edit("lift", "all", context, isTrial: isTrial) {
                book, _ throws(FaultRefusal) in
                book.lift()
                return book
            }
            return try JSONAnswer.response(FaultSwitchState(book))
        }
    }

    private func addInjectors(to router: some RouterMethods<APIContext>) {
        router.get("/v1/faultinjectors") { _, _ in
            let (book, now) = (try await self.store.faultBook().book, try await self.store.now())
            return try await self.list(
                book.injectors.sorted { $0.key < $1.key }.map { name, entry in
                    InjectorSummary(
                        name: name, seenAt: entry.seenAt,
                        isPresent: now.since(entry.seenAt) <= FaultBook.patience, targets: entry.targets,
                        leftovers: entry.leftovers)
                })
        }
        router.post("/v1/faultinjectors/:name/exchange") { request, context in
            let report: InjectorReport = try await RequestReader.readTolerantly(request)
            let name = try context.parameters.require("name")
            if let defect = Name.defect(in: name) {
                throw APITypes.Problem(
                    .invalid, detail: "\"\(name.prefix(80))\" is no name of an injector: it \(defect)")
            }
            let orders = try await self.edit(nil, name, context, isTrial: false) {
                book, now throws(FaultRefusal) in
                book.exchange(name, report, at: now)
            }
            try await self.abortWhatGoesTooFar(context)
            return try JSONAnswer.response(orders)
        }
    }

    // MARK: -

    private func create(_ request: Request, _ context: APIContext) async throws -> Response {
        let draft: FaultDraft = try await RequestReader.read(request)
        let isTrial = try DocumentRoutes.isDryRun(request)
        let actor = actor(context)
        try await checkSteady(draft.spec)
        let made = try await edit("create", draft.name, context, isTrial: isTrial) {
            book, now throws(FaultRefusal) in
            try book.create(draft.name, draft.spec, actor: actor, at: now)
        }
        return try JSONAnswer.response(made, status: isTrial ? .ok : .created)
    }

    private func checkSteady(_ spec: FaultSpec) async throws {
        for check in spec.steadyState ?? [] {
            let missing: [String]
            switch check {
            case .agentsReport:
                missing = try await store.hosts(.all).filter { $0.contact != .ready }.map(\.name)
            case .everythingRuns:
                missing = try await store.all(.vm).filter { vm in
                    guard vm.metadata.deletionTimestamp == nil else { return false }
                    guard vm.status != "{}" else { return true }
                    return try JSONDecoder().decode(VMStatus.self, from: Data(vm.status.utf8)).state
                        != .running
                }.map(\.metadata.name)
            }
            guard missing.isEmpty else {
                let names = missing.sorted().prefix(5).joined(separator: ", ")
                throw APITypes.Problem(
                    FaultRefusal(.unsteady, "\(check.rawValue) does not hold: \(names) (\(missing.count))"))
            }
        }
    }

    private func abortWhatGoesTooFar(_ context: APIContext) async throws {
        let book = try await store.faultBook().book
        guard book.faults.values.contains(where: { $0.spec.abortWhen != nil && $0.intent != .stop }) else {
            return
        }
        let silent = try await store.hosts(.all).count { $0.contact != .ready }
        _ = try await edit(nil, "abort condition", context, isTrial: false) {
            book, now throws(FaultRefusal) in
            book.judge(hostsNotReady: silent, at: now)
        }
    }

    private func change(
        _ verb: String, _ request: Request, _ context: APIContext,
        _ body: (inout FaultBook, String, Timestamp) throws(FaultRefusal) -> FaultRecord
    ) async throws -> Response {
        let name = try context.parameters.require("name")
        let isTrial = try DocumentRoutes.isDryRun(request)
        let changed = try await edit(verb, name, context, isTrial: isTrial) {
            book, now throws(FaultRefusal) in
            try body(&book, name, now)
        }
        return try JSONAnswer.response(changed)
    }

    /// Attempts at a change that others come in between of: each of them went on meanwhile.
    private static let mostAttempts = 50

    /// Changes the book; with nil for a verb no audit row is written.
    private func edit<Answer>(
        _ verb: String?, _ subject: String, _ context: APIContext, isTrial: Bool,
        _ body: (inout FaultBook, Timestamp) throws(FaultRefusal) -> Answer
    ) async throws -> Answer {
        for _ in 0..<Self.mostAttempts {
            let (known, now) = (try await store.faultBook(), try await store.now())
            var book = known.book
            let answer: Answer
            do throws(FaultRefusal) { answer = try body(&book, now) } catch { throw APITypes.Problem(error) }
            let change = FaultBookChange(from: known.book, to: book, subject: subject)
            if isTrial || change.isEmpty { return answer }
            let write = verb.map {
                WriteContext(actor: actor(context), requestID: context.requestID, verb: $0)
            }
            if try await store.commitFaults(change, version: known.version, context: write) {
                return answer
            }
        }
        throw StoreError.unavailable("the book of faults is being changed by many")
    }

    private func list(_ items: [some Encodable]) async throws -> Response {
        try JSONAnswer.list(
            items.map { try JSONAnswer.text($0) }, nextCursor: nil,
            resourceVersion: try await store.feedPosition().text)
    }

    private func actor(_ context: APIContext) -> String { context.caller?.actor ?? "unknown" }

    private static func unknown(_ name: String) -> APITypes.Problem {
        APITypes.Problem(.notFound, detail: "there is no fault \"\(name.prefix(80))\"")
    }
}

extension FaultSwitchState {
    init(_ book: FaultBook) {
        let inEffect = book.faults.values.reduce(0) { $0 + $1.targets.count { $0.phase.isInEffect } }
        self.init(isOff: book.killSwitch != nil, killSwitch: book.killSwitch, inEffect: inEffect)
    }
}

extension APITypes.Problem {
    init(_ refusal: FaultRefusal) {
        let code: ProblemCode =
            switch refusal.code {
            case .invalid: .invalid
            case .nameTaken: .alreadyExists
            case .unknown: .notFound
            case .switchedOff, .noTarget, .protected, .busy, .blastRadius, .unsteady, .finished: .guardRefused
            }
        self.init(code, detail: refusal.message)
    }
}
