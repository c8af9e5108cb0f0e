public import AgentProtocol
internal import APITypes

/// The calls of an agent over HTTP. The client carries the credential of the session.
///
/// Every call goes to each controller at most once: the agent has a loop of its own, and must know soon when
/// nobody answers. Repeating is harmless: a report repeated is answered without effect, and a hello repeated
/// only takes the session over from itself.
public struct HTTPControlPlane: ControlPlane, UsageSink {
    private let client: RESTClient

    /// - Parameter client: made with ``RetryPolicy/singleRound`` and the session's credential.
    public init(_ client: RESTClient) { self.client = client }

    public func hello(_ request: HelloRequest) async throws -> HelloResponse {
        try await call("hello", request)
    }

    public func poll(_ request: PollRequest) async throws -> PollResponse {
        // The usual time until an answer comes on top of the wait that was asked for.
        try await call("poll", request, extraWait: .seconds(max(0, request.waitSeconds)))
    }

    public func report(_ request: ReportRequest) async throws -> ReportResponse {
        try await call("report", request)
    }

    public func answer(_ answer: LogAnswer) async throws {
        let _: LogReceipt = try await call("logs", answer)
    }

    public func usage(_ request: UsageRequest) async throws -> UsageResponse {
        try await call("usage", request)
    }

    private func call<Answer: Decodable>(
        _ verb: String, _ body: some Encodable, extraWait: Duration = .zero
    ) async throws -> Answer {
        do {
            return try await client.agentCall(verb, body, extraWait: extraWait)
        } catch let error as ClientError {
            throw error.asControlPlaneError
        }
    }
}

extension RESTClient {
    /// Exchanges a single-use join token for the session's own credential; the client needs no token.
    ///
    /// - Throws: ``ControlPlaneError``.
    public func join(_ request: JoinRequest) async throws -> JoinResponse {
        do {
            // The token is used up by the first success, so a broken connection is for a person to judge.
            return try await agentCall("join", request, repeatable: false)
        } catch let error as ClientError {
            throw error.asControlPlaneError
        }
    }

    func agentCall<Answer: Decodable>(
        _ verb: String, _ body: some Encodable, extraWait: Duration = .zero, repeatable: Bool = true
    ) async throws -> Answer {
        let call = Call(
            method: .post, path: APIPath("agent", verb), headers: [("content-type", "application/json")],
            body: try WireJSON.encode(body), extraWait: extraWait, repeatable: repeatable)
        return try await send(call, as: Answer.self)
    }
}

extension ClientError {
    /// The case that an agent tells apart.
    var asControlPlaneError: ControlPlaneError {
        switch self {
        case .problem(let problem): Self.controlPlaneError(for: problem)
        case .unreachable(let text): .unavailable(text)
        // A proxy or a half-started server answers like this; the agent goes on with what it has.
        case .unintelligible(let text): .unavailable(text)
        case .configuration(let text): .refused(code: "client.configuration", message: text)
        }
    }

    private static func controlPlaneError(for problem: Problem) -> ControlPlaneError {
        switch problem.code {
        case .sessionSuperseded: .superseded
        case .unauthenticated, .forbidden: .unauthorized(problem.detail)
        case _ where problem.status >= 500 || problem.code == .rateLimited: .unavailable(problem.detail)
        default: .refused(code: problem.code.rawValue, message: problem.detail)
        }
    }
}
