internal import AsyncHTTPClient
public import FaultSeam
internal import Foundation
internal import HTTPTypes
public import Hummingbird
public import Logging
internal import NIOCore
internal import NIOHTTP1
internal import Synchronization

/// Which phases an engine serves.
public enum EngineRole: String, Sendable, Codable, CaseIterable { case prefill, decode, both }

/// What an engine is started with.
public struct EngineConfiguration: Sendable {
    public var host = "127.0.0.1"
    /// 0 takes a free one.
    public var port = 0
    public var model = "fake"
    public var role = EngineRole.both
    public var times = EngineTimes()
    /// Sequences at once.
    public var slots = 64
    /// Sequences that wait for a slot; further requests are answered with 503.
    public var queue = 256
    /// Tokens of one piece of a streamed answer.
    public var chunk = 1
    /// What goes wrong; nil for nothing.
    public var seam: FaultSeam?

    public init() {}
}

/// An engine that serves OpenAI's API over real HTTP and takes the time of a model that it does not have.
///
/// Answers are the words `w0 w1 …`, one for each token that was asked for.
public struct FakeEngine: Sendable {
    /// As `ForwardedHeaders` of the router names them.
    static let prefiller = HTTPField.Name("x-prefiller-host-port")
    static let phase = HTTPField.Name("x-basalt-phase")
    static let failed = HTTPField.Name("x-basalt-failed")

    /// Asks other engines. Requests wait for their turn there, not for a connection here.
    private static let prefillers = {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1024
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    let configuration: EngineConfiguration
    let slots: EngineSlots
    private let role: RoleBox
    private let served: Counter
    private let promptTokens: Counter
    private let outputTokens: Counter
    /// Unix time of now, seconds.
    private let now: @Sendable () -> Int

    /// - Parameter now: Unix time of now, seconds.
    public init(_ configuration: EngineConfiguration, now: @escaping @Sendable () -> Int = { 0 }) {
        self.configuration = configuration
        self.now = now
        slots = EngineSlots(slots: configuration.slots, queue: configuration.queue)
        role = RoleBox(configuration.role)
        served = Counter()
        promptTokens = Counter()
        outputTokens = Counter()
    }

    /// Can be changed while it runs.
    public var currentRole: EngineRole { role.value.withLock { $0 } }

    /// The engine as a service.
    ///
    /// - Parameter onRunning: is given the port.
    public func application(
        logger: Logger, onRunning: @escaping @Sendable (Int) async -> Void = { _ in }
    ) -> some ApplicationProtocol {
        Application(
            router: router(),
            configuration: .init(
                address: .hostname(configuration.host, port: configuration.port), serverName: nil),
            onServerRunning: { channel in await onRunning(channel.localAddress?.port ?? 0) },
            logger: logger)
    }

    private func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.get("/health") { _, _ in HTTPResponse.Status.ok }
        router.get("/metrics") { _, _ in metrics }
        router.get("/role") { _, _ in try Self.json(RoleMessage(role: currentRole)) }
        router.post("/role") { request, _ in
            let body = try await request.body.collect(upTo: 4096)
            guard let wanted = try? JSONDecoder().decode(RoleMessage.self, from: Data(body.readableBytesView))
            else { return try Self.failure(.badRequest, "role: prefill, decode or both") }
            role.value.withLock { $0 = wanted.role }
            return try Self.json(wanted)
        }
        router.get("/v1/models") { _, _ in
            try Self.json(ModelList(data: [.init(id: configuration.model)]))
        }
        router.post("/v1/completions") { request, _ in try await complete(request, isChat: false) }
        router.post("/v1/chat/completions") { request, _ in try await complete(request, isChat: true) }
        return router
    }

    /// Named as vLLM names them.
    private var metrics: String {
        """
        vllm:num_requests_running{model_name="\(configuration.model)"} \(load.running)
        vllm:num_requests_waiting{model_name="\(configuration.model)"} \(load.waiting)
        vllm:request_success_total{model_name="\(configuration.model)"} \(served.value.load(ordering: .relaxed))
        vllm:prompt_tokens_total{model_name="\(configuration.model)"} \(promptTokens.value.load(ordering: .relaxed))
        vllm:generation_tokens_total{model_name="\(configuration.model)"} \(outputTokens.value.load(ordering: .relaxed))

        """
    }

    // MARK: Completions

    private func complete(_ request: Request, isChat: Bool) async throws -> Response {
        let body = try await request.body.collect(upTo: 16 << 20)
        guard
            let wanted = try? JSONDecoder().decode(
                CompletionRequest.self, from: Data(body.readableBytesView)),
            isChat == (wanted.messages != nil), wanted.tokens >= 1, wanted.tokens <= 1 << 20
        else { return try Self.failure(.badRequest, "the body is no request for a completion") }
        if let model = wanted.model, model != configuration.model {
            return try Self.failure(.notFound, "The model `\(model)` does not exist.")
        }
        let prefiller = Self.value(Self.prefiller, of: request)
        let isPrefill = Self.value(Self.phase, of: request) == "prefill"
        let needed: EngineRole = isPrefill ? .prefill : prefiller == nil ? .both : .decode
        guard currentRole == .both || currentRole == needed else {
            return try Self.failure(.serviceUnavailable, "this engine has the role \(currentRole.rawValue)")
        }
        let promptTokens = wanted.promptTokens
        guard let seat = await slots.seat(tokens: promptTokens + wanted.tokens) else {
            return try Self.failure(.serviceUnavailable, "too many requests wait")
        }
        if let prefiller {
            guard await askPrefiller(prefiller, body, path: request.uri.path) else {
                var answer = try Self.failure(.badGateway, "the prompt was not read at \(prefiller)")
                if let failed = Self.failed { answer.headers[failed] = "prefill" }
                return answer
            }
            if let delay = handoffDelay { try await Task.sleep(for: .seconds(delay)) }
        } else {
            // Each of the others has a prompt of its own, which is read first.
            try await slots.read(configuration.times.prefill(promptTokens) * Double(1 + others))
        }
        let number = served.value.add(1, ordering: .relaxed).newValue
        self.promptTokens.value.add(promptTokens, ordering: .relaxed)
        if !isPrefill { outputTokens.value.add(wanted.tokens, ordering: .relaxed) }
        let answer = Answer(
            id: "cmpl-\(number)", created: now(), model: configuration.model, isChat: isChat,
            promptTokens: promptTokens, tokens: isPrefill ? 1 : wanted.tokens,
            includesUsage: wanted.stream_options?.include_usage ?? false)
        if wanted.stream == true, !isPrefill { return stream(answer, seat) }
        try await step(answer.tokens - 1)
        return withExtendedLifetime(seat) { try? Self.json(answer.whole) }
            ?? Response(status: .internalServerError)
    }

    /// Waits for so many tokens at the pace of now.
    private func step(_ tokens: Int) async throws {
        guard tokens > 0 else { return }
        let load = slots.load
        try await Task.sleep(
            for: .seconds(
                configuration.times.step(max(1, load.sequences + others), load.context) * Double(tokens)))
    }

    private func stream(_ answer: Answer, _ seat: EngineSlots.Seat) -> Response {
        let chunk = max(1, configuration.chunk)
        let body = ResponseBody { writer in
            var done = 0
            while done < answer.tokens {
                let next = min(done + chunk, answer.tokens)
                // The first token is there when the prompt was read.
                try await step(done == 0 ? next - 1 : next - done)
                try await writer.write(ByteBuffer(string: try answer.event(done..<next)))
                done = next
            }
            try await writer.write(ByteBuffer(string: try answer.ending()))
            withExtendedLifetime(seat) {}
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "text/event-stream"], body: body)
    }

    /// Lets another engine read the prompt, as the sidecars of llm-d do.
    private func askPrefiller(_ address: String, _ body: ByteBuffer, path: String) async -> Bool {
        var request = HTTPClientRequest(url: "http://\(address)\(path)")
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.headers.add(name: "x-basalt-phase", value: "prefill")
        request.body = .bytes(body)
        do {
            let answer = try await Self.prefillers.execute(request, timeout: .seconds(120))
            for try await _ in answer.body {}
            return answer.status == .ok
        } catch {
            return false
        }
    }

    // MARK: Answers

    private static func value(_ name: HTTPField.Name?, of request: Request) -> String? {
        name.flatMap { request.headers[$0] }
    }

    static func json(_ value: some Encodable, _ status: HTTPResponse.Status = .ok) throws -> Response {
        let data = try JSONEncoder().encode(value)
        return Response(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: data)))
    }

    private static func failure(_ status: HTTPResponse.Status, _ message: String) throws -> Response {
        try json(
            EngineFailure(error: .init(message: message, type: "engine_error", code: "\(status.code)")),
            status)
    }
}

private final class RoleBox: Sendable {
    let value: Mutex<EngineRole>

    init(_ role: EngineRole) { value = Mutex(role) }
}

private final class Counter: Sendable {
    let value = Atomic(0)
}
