internal import APITypes
internal import AsyncHTTPClient
internal import Fleet
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL
internal import Synchronization

/// Speaks the REST API over HTTP/1.1 keep-alive connections to one of several controllers.
///
/// Requests that may be sent twice (reads, and changes with an idempotency key or entity tag) are repeated
/// after broken connections and `retryable` problems, at the next controller first, then after a pause with
/// jitter. All methods throw ``ClientError``, or `CancellationError` when the task is cancelled.
public final class RESTClient: Sendable {
    let configuration: ClientConfiguration
    let seams: ClientSeams
    let rotation: EndpointRotation
    private let http: HTTPClient
    private let repeats = Atomic(0)

    /// The caller ends its life with ``shutdown()``; ``with(_:seams:_:)`` does so by itself.
    public init(_ configuration: ClientConfiguration, seams: ClientSeams) throws(ClientError) {
        guard !configuration.servers.isEmpty else { throw .configuration("no server is named") }
        self.configuration = configuration
        self.seams = seams
        rotation = EndpointRotation(configuration.servers)
        http = HTTPClient(
            eventLoopGroupProvider: .singleton, configuration: try Self.transport(of: configuration))
    }

    /// Closes the connections. No call may run or follow.
    public func shutdown() async throws { try await http.shutdown() }

    /// Runs `body` with a client that is shut down afterwards.
    public static func with<Result>(
        _ configuration: ClientConfiguration, seams: ClientSeams,
        _ body: (RESTClient) async throws -> Result
    ) async throws -> Result {
        let client = try RESTClient(configuration, seams: seams)
        let result: Result
        do {
            result = try await body(client)
        } catch {
            try await client.shutdown()
            throw error
        }
        try await client.shutdown()
        return result
    }

    /// The servers, as they are named in messages.
    public var serverNames: String {
        configuration.servers.map(\.description).joined(separator: ", ")
    }

    /// Attempts so far beyond the first of each call.
    public var retries: Int { repeats.load(ordering: .relaxed) }

    /// A fresh key for a POST.
    public func newIdempotencyKey() -> String { seams.ids.next().uuidString.lowercased() }

    func send(_ call: Call) async throws -> Answer {
        try await repeating(call) { response in
            let body = try await response.body.collect(upTo: self.configuration.limits.answerBytes)
            return Answer(response, body: Data(body.readableBytesView))
        }
    }

    func send<Value: Decodable>(_ call: Call, as type: Value.Type) async throws -> Value {
        try await send(call).decoded(type)
    }

    /// Sends until an attempt gives a success whose answer `receive` could read.
    func repeating<Result>(
        _ call: Call, receive: (HTTPClientResponse) async throws -> Result
    ) async throws -> Result {
        var machine = RetryMachine(
            policy: configuration.retry, servers: rotation.count, repeatable: call.repeatable)
        while true {
            let server = rotation.current
            let failed: (AttemptFailure, ClientError)
            do {
                let response = try await execute(call, at: server)
                if (200..<300).contains(Int(response.status.code)) { return try await receive(response) }
                let body = try await response.body.collect(upTo: Self.problemBytes)
                let answer = Answer(response, body: Data(body.readableBytesView))
                failed = (answer.attemptFailure, answer.failure)
            } catch let error as ClientError {
                throw error
            } catch {
                // Whoever gave up waiting for this server asks another one next.
                if Task.isCancelled { rotation.leave(server) }
                try Task.checkCancellation()
                failed = TransportFailure.classify(error, server: server)
            }
            if failed.0 != .final { rotation.leave(server) }
            switch machine.next(after: failed.0, random: seams.random()) {
            case .giveUp: throw failed.1
            case .tryNext: break
            case .pause(let pause): try await seams.sleep(pause)
            }
            repeats.add(1, ordering: .relaxed)
        }
    }

    private func execute(_ call: Call, at server: ServerAddress) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: server.description + call.target)
        request.method = HTTPMethod(rawValue: call.method.rawValue)
        if let token = configuration.token {
            request.headers.replaceOrAdd(name: "authorization", value: "Bearer \(token)")
        }
        request.headers.add(name: "accept", value: "application/json")
        for header in call.headers { request.headers.replaceOrAdd(name: header.name, value: header.value) }
        if let body = call.body { request.body = .bytes(ByteBuffer(bytes: body)) }
        let wait = configuration.limits.answer + call.extraWait
        return try await http.execute(request, timeout: .microseconds(wait.microseconds))
    }

    /// A problem is a page of text at most.
    private static let problemBytes = 1 << 20

    private static func transport(
        of configuration: ClientConfiguration
    ) throws(ClientError) -> HTTPClient.Configuration {
        var tls = TLSConfiguration.makeClientConfiguration()
        if let file = configuration.certificateFile {
            do {
                tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(file))
            } catch {
                throw .configuration("\(file) holds no readable PEM certificate")
            }
        }
        var transport = HTTPClient.Configuration(
            tlsConfiguration: tls, redirectConfiguration: .disallow,
            timeout: .init(
                connect: .microseconds(configuration.limits.connect.microseconds),
                read: .microseconds(configuration.limits.silence.microseconds)))
        transport.httpVersion = .http1Only
        transport.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = configuration.limits.connections
        // Failing over to another controller beats insisting on a dead one; the retry machine decides.
        transport.connectionPool.retryConnectionEstablishment = false
        return transport
    }
}

extension Answer {
    init(_ response: HTTPClientResponse, body: Data) {
        // The form with a date is not used by the API.
        let seconds = response.headers.first(name: "retry-after").flatMap(Int.init)
        self.init(
            status: Int(response.status.code), retryAfter: seconds.map { .seconds(max(0, $0)) }, body: body)
    }
}
