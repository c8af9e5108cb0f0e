import CommandLine
import Fleet
import Foundation
import TestServer
import Testing

/// The audit log and tokens from the command line.
struct AuditTests {
    @Test func theLogIsReadAsFarAsItIsAskedFor() async throws {
        let fixture = try CommandFixture()
        func ids(_ arguments: [String], _ server: TestServer) async -> [String] {
            let outcome = await fixture.run(["audit", "-o", "name"] + arguments, server: server)
            #expect(outcome.status == .done && outcome.errors == "", "\(outcome)")
            return outcome.output.split(separator: "\n").map(String.init)
        }
        try await fixture.serving { server in
            #expect(await ids([], server) == ["audit/5", "audit/4", "audit/3", "audit/2", "audit/1"])
            #expect(await ids(["--limit", "3"], server) == ["audit/5", "audit/4", "audit/3"])
            // It is two hours after the first minute.
            #expect(await ids(["--since", "116m"], server) == ["audit/5", "audit/4"])
            #expect(await ids(["--since", "1m"], server) == [])
            _ = await ids(["--actor", "user/ada", "--subject", "policy/dense", "--verb", "replace"], server)
            let query = fixture.plane.requests.last?.query["fieldSelector"]
            #expect(query == "actor=user/ada,verb=replace,kind=Policy,name=dense")
            _ = await ids(["--refused", "-p", "shop"], server)
            #expect(fixture.plane.requests.last?.query["fieldSelector"] == "project=shop,refused=true")
        }
    }

    @Test(arguments: [
        (["audit", "--subject", "polcy/dense"], "basalt: no kind \"polcy\"; the nearest is \"policy\"\n"),
        (["audit", "--limit", "0"], "basalt: --limit must be above 0\n"),
        (["audit", "--since", "soon"], "basalt: \"soon\" is no duration; write 30s, 5m or 1h30m\n"),
    ])
    func aMistakeGetsOneClearLine(arguments: [String], line: String) async throws {
        let outcome = try await CommandFixture().run(arguments, server: nil)
        #expect(outcome == .init(status: .failed, output: "", errors: line))
    }

    @Test func aTokenThatIsNotThereIsNamed() async throws {
        let fixture = try CommandFixture()
        try await fixture.serving { server in
            let outcome = await fixture.run(["token", "revoke", "ci", "none"], server: server)
            #expect(outcome.status == .failed)
            #expect(outcome.errors == "basalt: token/none: there is no Token\n")
        }
    }
}
