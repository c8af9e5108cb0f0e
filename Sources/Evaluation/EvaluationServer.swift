internal import APITypes
internal import FaultLab
internal import Fleet
internal import Foundation
internal import HTTPTypes
public import Hummingbird
internal import HummingbirdCore
internal import HummingbirdTLS
public import Logging
internal import NIOCore
public import NIOSSL

/// The REST server of evaluation sessions.
public struct EvaluationServer: Sendable {
    let host: SessionHost

    public init(_ host: SessionHost) { self.host = host }

    /// Bytes of a body: an agent's answer and what is around it.
    private static let longestBody = 1 << 20

    /// The server as a service; it runs until its task is cancelled or shut down gracefully.
    ///
    /// - Parameters:
    ///   - tls: nil serves plain HTTP; whether that is allowed is the caller's to decide.
    ///   - onRunning: is given the port.
    public func application(
        address: String, port: Int, tls: TLSConfiguration? = nil, logger: Logger,
        onRunning: @escaping @Sendable (Int) async -> Void = { _ in }
    ) throws -> some ApplicationProtocol {
        Application(
            router: router(), server: try tls.map { try .tls(.http1(), tlsConfiguration: $0) } ?? .http1(),
            configuration: .init(address: .hostname(address, port: port), serverName: nil),
            onServerRunning: { channel in await onRunning(channel.localAddress?.port ?? port) },
            logger: logger)
    }

    package func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.addMiddleware { FailureMiddleware() }
        router.get("/healthz") { _, _ in HTTPResponse.Status.ok }
        router.get("/v1/aiops/openapi.yaml") { _, _ in Answer.text(Self.contract, type: "application/yaml") }
        addSessions(to: router)
        addResults(to: router)
        addBatches(to: router)
        SREGymRoutes(server: self).add(to: router)
        return router
    }

    /// Methods and paths of all routes, as `openapi.yaml` writes them.
    package var routes: [String] {
        router().routes.map { route in
            let path = route.path.description.replacing(/:([A-Za-z]+)/) { "{\($0.1)}" }
            return "\(route.method.rawValue.lowercased()) \(path.hasPrefix("/") ? "" : "/")\(path)"
        }
    }

    /// What `openapi.yaml` of this module says.
    package static var contract: String { String(decoding: PackageResources.openapi_yaml, as: UTF8.self) }

    // MARK: - Sessions

    private func addSessions(to router: Router<BasicRequestContext>) {
        router.get("/v1/aiops/problems") { request, _ in
            try requireOperator(request)
            return try Answer.json(["items": host.pool.problems.map { $0.card(on: nil) }])
        }
        router.post("/v1/aiops/sessions") { request, _ in
            try requireOperator(request)
            let wanted = try SessionRequest(try await Self.body(request), pool: host.pool)
            let (card, token) = try await host.create(wanted)
            return try Answer.json(CreatedSession(session: card, token: token), .created)
        }
        router.get("/v1/aiops/sessions") { request, _ in
            try requireOperator(request)
            return try Answer.json(["items": await host.cards()])
        }
        router.get("/v1/aiops/sessions/:session") { request, context in
            try Answer.json(try await awaited(try await allowed(request, context), request))
        }
        router.get("/v1/aiops/sessions/:session/brief") { request, context in
            try await brief(try await allowed(request, context))
        }
        router.post("/v1/aiops/sessions/:session/actions") { request, context in
            let id = try await allowed(request, context)
            let body = try RequestBody(
                try await Self.body(request), keys: ["callId", "name", "arguments", "thought"])
            let turn = AgentTurn.call(try Self.call(body))
            return try Answer.json(try await host.session(id).say(turn, call: try body.text("callId")))
        }
        router.post("/v1/aiops/sessions/:session/text") { request, context in
            let id = try await allowed(request, context)
            let body = try RequestBody(try await Self.body(request), keys: ["callId", "content"])
            let turn = AgentTurn.text(try body.text("content") ?? "")
            return try Answer.json(try await host.session(id).say(turn, call: try body.text("callId")))
        }
        router.post("/v1/aiops/sessions/:session/submit") { request, context in
            let id = try await allowed(request, context)
            let body = try RequestBody(try await Self.body(request), keys: ["stage", "solution"])
            let stage = try body.text("stage").map { word in try SessionRequest.stage(word, "stage") }
            try await host.session(id).submit(body.value("solution"), for: stage)
            return try Answer.json(["receipt": id], .accepted)
        }
        router.post("/v1/aiops/sessions/:session/abort") { request, context in
            let id = try await allowed(request, context)
            try await host.session(id).abort("It was aborted.")
            return try Answer.json(try await host.card(id))
        }
    }

    private struct CreatedSession: Encodable {
        var session: SessionCard
        /// Told once.
        var token: String
    }

    /// Longest wait for a session's fleet, seconds.
    private static let longestWait = 120

    /// The card; with `?wait=` as soon as the agent is asked or the session is over, or the seconds are.
    private func awaited(_ id: String, _ request: Request) async throws -> SessionCard {
        let text = request.uri.queryParameters["wait"].map(String.init)
        guard let seconds = Int(text ?? "0"), (0...Self.longestWait).contains(seconds) else {
            throw RequestBody.defect("wait", .outOfRange, "is 0 to \(Self.longestWait) seconds")
        }
        let deadline = ContinuousClock.now + .seconds(seconds)
        var card = try await host.card(id)
        while card.state == .preparing, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(50))
            card = try await host.card(id)
        }
        return card
    }

    private struct BriefAnswer: Encodable {
        var task: String
        var request: String
        var actions: [ActionSignature]
    }

    private func brief(_ id: String) async throws -> Response {
        guard let text = try await host.session(id).brief else {
            throw Problem(.unavailable, detail: "The fleet is being made; ask for the session's state.")
        }
        return try Answer.json(
            BriefAnswer(
                task: text, request: SessionAnswer.request, actions: ActionVerb.allCases.map(\.signature)))
    }

    private static func call(_ body: RequestBody) throws(Problem) -> ActionCall {
        let name = try body.required("name")
        switch body.value("arguments") {
        case nil: return ActionCall(name: name)
        case .mapping(let named): return ActionCall(name: name, keywords: named)
        case .list(let values): return ActionCall(name: name, arguments: values)
        default: throw RequestBody.defect("arguments", .invalid, "is a mapping by names, or a list by place")
        }
    }

    // MARK: - Results

    private func addResults(to router: Router<BasicRequestContext>) {
        router.get("/v1/aiops/sessions/:session/score") { request, context in
            let result = try await host.result(try await allowed(request, context))
            return try Answer.json(Score(result))
        }
        router.get("/v1/aiops/sessions/:session/trace") { request, context in
            let trace = try await host.result(try await allowed(request, context)).trace
            let lines = try trace.steps.map { try Answer.line($0) }
            return Answer.text((lines + [""]).joined(separator: "\n"), type: "application/x-ndjson")
        }
        router.get("/v1/aiops/sessions/:session/export") { request, context in
            let id = try await allowed(request, context)
            _ = try await host.result(id)
            let word = request.uri.queryParameters["format"].map(String.init) ?? ""
            guard let format = ExportFormat(rawValue: word) else {
                let offered = ExportFormat.allCases.map(\.rawValue).joined(separator: ", ")
                throw RequestBody.defect("format", .unknownValue, "is one of \(offered)")
            }
            return try Answer.json(["files": host.archive.export(format, of: id)])
        }
        router.get("/v1/aiops/leaderboard") { request, _ in
            try requireOperator(request)
            let board = Leaderboard(host.archive.grades())
            if request.uri.queryParameters["format"] == "csv" {
                return Answer.text(board.csv, type: "text/csv")
            }
            return try Answer.json(board)
        }
    }

    private struct Score: Encodable {
        var problem: FaultLab.Problem
        var grade: SessionGrade
        var residue: [String]
        var traceHash: String

        init(_ result: SessionResult) {
            problem = result.trace.problem
            grade = result.grade
            residue = result.residue
            traceHash = String(result.trace.hash, radix: 16)
        }
    }

    // MARK: - Batches

    private func addBatches(to router: Router<BasicRequestContext>) {
        router.post("/v1/aiops/batches") { request, _ in
            try requireOperator(request)
            let wanted = try BatchRequest(try await Self.body(request), pool: host.pool)
            return try Answer.json(BatchAnswer(card: try await host.create(wanted), results: []), .accepted)
        }
        router.get("/v1/aiops/batches/:batch") { request, context in
            try requireOperator(request)
            return try Answer.json(try await host.batch(context.parameters.get("batch") ?? ""))
        }
    }

    // MARK: - Requests

    func requireOperator(_ request: Request) throws(Problem) {
        guard !host.isOperator(Self.token(request)) else { return }
        let isKnown = Self.token(request) != nil
        throw Problem(
            isKnown ? .forbidden : .unauthenticated,
            detail: isKnown ? "Only the operator may." : "Give a bearer token.")
    }

    /// The session of a path, when the caller may act in it.
    private func allowed(_ request: Request, _ context: BasicRequestContext) async throws -> String {
        let id = context.parameters.get("session") ?? ""
        try await requireActor(request, in: id)
        return id
    }

    func requireActor(_ request: Request, in id: String) async throws {
        let token = Self.token(request)
        guard await host.mayAct(token, in: id) else {
            throw Problem(
                token == nil ? .unauthenticated : .forbidden, detail: "Give the session's bearer token.")
        }
    }

    private static func token(_ request: Request) -> String? {
        guard let header = request.headers[.authorization], header.lowercased().hasPrefix("bearer ") else {
            return nil
        }
        return String(header.dropFirst("bearer ".count))
    }

    static func body(_ request: Request) async throws -> Data {
        do {
            let buffer = try await request.body.collect(upTo: longestBody)
            return Data(buffer.readableBytesView)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw Problem(.tooLarge, detail: "A body may have \(longestBody) bytes.")
        }
    }
}
