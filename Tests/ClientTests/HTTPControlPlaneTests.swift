import APITypes
import AgentProtocol
import Client
import Fleet
import TestServer
import Testing

struct HTTPControlPlaneTests {
    private let report = ReportRequest(incarnation: 1, sequence: 4, parts: [])

    /// The error that a report meets when the server answers with `reaction`.
    private func failure(_ reaction: TestReaction) async throws -> ControlPlaneError? {
        let fixture = Fixture()
        var caught: ControlPlaneError?
        try await TestServer.with({ _ in reaction }) { server in
            let configuration = ClientConfiguration(
                servers: [try ServerAddress(server.address)], token: "session", retry: .singleRound)
            try await RESTClient.with(configuration, seams: fixture.seams) { client in
                do {
                    _ = try await HTTPControlPlane(client).report(report)
                } catch let error as ControlPlaneError {
                    caught = error
                }
            }
        }
        return caught
    }

    @Test(arguments: [
        (ProblemCode.unauthenticated, ControlPlaneError.unauthorized("d")), (.forbidden, .unauthorized("d")),
        (.sessionSuperseded, .superseded), (.unavailable, .unavailable("d")),
        (.internalError, .unavailable("d")),
        (.malformedRequest, .refused(code: "request.malformed", message: "d")),
        (.hostClaimed, .refused(code: "host.claimed", message: "d")),
    ])
    func mapsProblems(code: ProblemCode, expected: ControlPlaneError) async throws {
        #expect(try await failure(FakeControlPlane.problem(Problem(code, detail: "d"))) == expected)
    }

    @Test func aBrokenConnectionIsUnavailable() async throws {
        guard case .unavailable = try await failure(.drop) else {
            Issue.record("not unavailable")
            return
        }
    }

    @Test func speaksToItsPaths() async throws {
        let fixture = Fixture()
        let handler: TestServer.Handler = { request in
            guard request.headers["authorization"] == "Bearer session", request.method == "POST" else {
                return FakeControlPlane.problem(Problem(.unauthenticated, detail: "who"))
            }
            switch request.path {
            case "/v1/agent/poll":
                return FakeControlPlane.json(PollResponse(cursor: "c2", epoch: 1, assignments: []))
            case "/v1/agent/report":
                return FakeControlPlane.json(ReportResponse(acknowledged: 4, epoch: 1))
            default: return FakeControlPlane.problem(Problem(.unknownPath, detail: request.path))
            }
        }
        try await TestServer.with(handler) { server in
            let configuration = ClientConfiguration(
                servers: [try ServerAddress(server.address)], token: "session", retry: .singleRound)
            try await RESTClient.with(configuration, seams: fixture.seams) { client in
                let plane = HTTPControlPlane(client)
                let answer = try await plane.poll(PollRequest(incarnation: 1, cursor: "c1", waitSeconds: 20))
                #expect(answer.cursor == "c2")
                #expect(try await plane.report(report).acknowledged == 4)
            }
        }
    }
}
