import FaultLab
import Foundation
import Testing

/// Sessions over REST, against the server as a process whose sessions are processes of their own.
@Suite(.serialized) struct SessionTests {
    private static let all = [
        #"{"stage": "detection", "solution": "Yes"}"#, #"{"solution": ["agent/a-00"]}"#,
        #"{"solution": {"system_level": "Control Plane", "fault_type": "Operation Error"}}"#,
        #"{"stage": "mitigation"}"#,
    ]

    /// Words that tell what is wrong: no component's name, which an agent has to see.
    private func secrets(of problem: Problem) -> [String] {
        let template = problem.template
        let words = [template, problem.title, problem.truth.mechanism, problem.alias, "mechanism", "isNoop"]
        return words + problem.faults.map(\.kind.rawValue) + ["faultTypes", "\"oracle\"", "\"truth\""]
    }

    @Test(arguments: ["AG-01", "POL-01", "DB-07", "GPU-04"])
    func `nothing tells of a problem before its end`(problem: String) async throws {
        let server = try await Server()
        defer { server.stop() }
        let session = try await server.session(#"{"problem": "\#(problem)", "seed": 5, "noop": false}"#)
        try await server.send("GET", "/v1/aiops/sessions/\(session.id)/brief")
        for kind in ["host", "vm", "agent", "gpu", "policy", "controller"] {
            _ = try await server.act(session, "get_inventory", #"{"kind": "\#(kind)"}"#)
        }
        for call in ["get_alerts", "get_events", "get_db_health", "get_topology", "get_traces", "no_such"] {
            _ = try await server.act(session, call)
        }
        _ = try await server.act(session, "get_logs", #"{"target": "*", "since_s": 3600}"#)
        _ = try await server.act(session, "get_metrics", #"{"query": "", "range_s": 3600}"#)
        for path in ["score", "trace", "export?format=rcaeval", "export?format=aiopslab"] {
            let early = try await server.send("GET", "/v1/aiops/sessions/\(session.id)/\(path)")
            #expect(early.status == 409, "\(path)")
        }
        for path in ["/v1/aiops/sessions", "/v1/aiops/leaderboard", "/status", "/get_app"] {
            try await server.send("GET", path)
        }
        for solution in Self.all.dropLast() {
            try await server.send("POST", "/v1/aiops/sessions/\(session.id)/submit", solution)
        }
        let before = server.heard
        let files = try #require(FileManager.default.enumerator(atPath: server.data.path)).compactMap {
            ($0 as? String).map { server.data.appending(path: $0) }
        }
        let kept = files.compactMap { try? String(contentsOf: $0, encoding: .utf8) }.joined()
        try await server.finish(session, [Self.all[3]])
        let score = try await server.send("GET", "/v1/aiops/sessions/\(session.id)/score")
        let drawn = try JSONDecoder().decode(Ended.self, from: Data(score.text.utf8)).problem
        #expect(drawn.template == problem && drawn.truth.hasFault)
        for secret in secrets(of: drawn) {
            #expect(!before.contains(secret), "\(secret) was told")
            #expect(!kept.contains(secret), "\(secret) was kept")
        }
    }

    private struct Ended: Decodable {
        var problem: Problem
        var grade: SessionGrade
    }

    @Test func `a problem and its no-op are told alike`() async throws {
        let server = try await Server()
        defer { server.stop() }
        var told: [String] = []
        for noop in [true, false] {
            let session = try await server.session(
                #"{"problem": "AG-01", "seed": 2, "noop": \#(noop), "agent": "x"}"#)
            let brief = try await server.send("GET", "/v1/aiops/sessions/\(session.id)/brief")
            let card = try await server.send("GET", "/v1/aiops/sessions/\(session.id)")
            told.append(brief.text + card.object.keys.sorted().joined(separator: ","))
            try await server.send("POST", "/v1/aiops/sessions/\(session.id)/abort")
        }
        #expect(told[0] == told[1])
    }

    @Test func `who acts well is scored so, and the exports are there`() async throws {
        let server = try await Server()
        defer { server.stop() }
        let session = try await server.session(
            #"{"problem": "AG-01", "seed": 3, "noop": false, "agent": "operator"}"#)
        let alerts = try await server.act(session, "get_alerts").text
        let host = String(try #require(alerts.firstMatch(of: /agent\/([ab]-[0-9]+)/)).1)
        // Answers for later stages are kept until they are asked.
        try await server.send(
            "POST", "/v1/aiops/sessions/\(session.id)/submit",
            #"{"stage": "localization", "solution": ["agent/\#(host)"]}"#)
        let again = try await server.send(
            "POST", "/v1/aiops/sessions/\(session.id)/submit",
            #"{"stage": "localisation", "solution": []}"#)
        #expect(again.status == 409)
        try await server.send("POST", "/v1/aiops/sessions/\(session.id)/submit", Self.all[0])
        try await eventually("the analysis is asked") {
            try await server.send("GET", "/v1/aiops/sessions/\(session.id)").text("stage") == "analysis"
                ? true : nil
        }
        try await server.send("POST", "/v1/aiops/sessions/\(session.id)/submit", Self.all[2])
        let repair = #"{"callId": "one", "name": "restart_agent", "arguments": {"host": "\#(host)"}}"#
        let first = try await server.send("POST", "/v1/aiops/sessions/\(session.id)/actions", repair)
        let second = try await server.send("POST", "/v1/aiops/sessions/\(session.id)/actions", repair)
        #expect(first.status == 200 && first.text == second.text, "a call is carried out once")
        try await server.finish(session, [Self.all[3]])
        let score = try await server.send("GET", "/v1/aiops/sessions/\(session.id)/score")
        let grade = try JSONDecoder().decode(Ended.self, from: Data(score.text.utf8)).grade
        #expect(grade.isResolved && !grade.harm.isAny && grade.counts.writes == 1, "\(score.text)")
        for format in ["openrca", "rcaeval", "aiopslab"] {
            let export = try await server.send(
                "GET", "/v1/aiops/sessions/\(session.id)/export?format=\(format)")
            guard case .mapping(let files) = export.object["files"] else {
                Issue.record("\(format): \(export.text.prefix(200))")
                continue
            }
            #expect(!files.isEmpty, "\(format)")
        }
        let trace = try await server.send("GET", "/v1/aiops/sessions/\(session.id)/trace")
        #expect(trace.text.split(separator: "\n").count == grade.counts.steps)
        let board = try await server.send("GET", "/v1/aiops/leaderboard?format=csv")
        #expect(board.text.contains("\n1,operator,1,"))
    }

    @Test func `texts are parsed as AIOpsLab parses them, strictly when asked`() async throws {
        let server = try await Server()
        defer { server.stop() }
        let strict = try await server.session(
            #"{"problem": "NOOP-01", "compat": "strict", "stages": ["detection"]}"#)
        func say(_ text: String) async throws -> Server.Answer {
            let body = String(
                decoding: try JSONEncoder().encode(["content": text]), as: UTF8.self)
            return try await server.send("POST", "/v1/aiops/sessions/\(strict.id)/text", body)
        }
        let tagged = try await say("```python\nget_alerts()\n```")
        #expect(tagged.text("status") == "invalid")
        let plain = try await say("```\nget_alerts()\n```")
        #expect(plain.text("status") == "ok")
        #expect(plain.text("nextPrompt")?.hasSuffix("\nPlease take the next action") == true)
        let last = try await say("```\nsubmit(\"No\")\n```")
        #expect(last.text("state") == "done")
        let score = try await server.send("GET", "/v1/aiops/sessions/\(strict.id)/score")
        let grade = try JSONDecoder().decode(Ended.self, from: Data(score.text.utf8)).grade
        #expect(grade.stages.map(\.stage) == [.detection] && grade.stages[0].score == 1)
        let over = try await say("```\nget_alerts()\n```")
        #expect(over.status == 409)
    }

    @Test func `only the operator and the session's agent may`() async throws {
        let server = try await Server(token: "operators-secret")
        defer { server.stop() }
        #expect(try await server.send("GET", "/v1/aiops/problems").status == 401)
        #expect(try await server.send("GET", "/v1/aiops/problems", token: "guess").status == 403)
        #expect(try await server.send("POST", "/v1/aiops/sessions", "{}", token: "guess").status == 403)
        let first = try await server.session(#"{"suite": "smoke"}"#, token: "operators-secret")
        let second = try await server.session(#"{"suite": "smoke", "seed": 2}"#, token: "operators-secret")
        let path = "/v1/aiops/sessions/\(first.id)"
        #expect(try await server.send("GET", path).status == 401)
        #expect(try await server.send("GET", path, token: second.token).status == 403)
        #expect(try await server.send("POST", path + "/abort", token: second.token).status == 403)
        #expect(try await server.send("GET", path, token: first.token).status == 200)
        #expect(try await server.send("GET", "/v1/aiops/leaderboard", token: first.token).status == 403)
        #expect(try await server.send("POST", path + "/abort", token: first.token).status == 200)
    }

    @Test func `a server that ends takes its sessions with it and knows them after`() async throws {
        let server = try await Server()
        let session = try await server.session(#"{"problem": "NOOP-01"}"#)
        server.stop()
        let next = try await Server(data: server.data)
        defer { next.stop() }
        let card = try await next.send("GET", "/v1/aiops/sessions/\(session.id)")
        #expect(card.text("state") == "aborted", "\(card.text)")
        let act = try await next.act(session, "get_alerts")
        #expect(act.status == 409)
    }

    @Test func `bad input is refused with its reason`() async throws {
        let server = try await Server()
        defer { server.stop() }
        let path = "/v1/aiops/sessions"
        for (body, status) in [
            ("", 400), ("[]", 400), (#"{"problm": "AG-01"}"#, 422), (#"{"problem": "XX-99"}"#, 422),
            (#"{"seed": -1}"#, 422), (#"{"stages": []}"#, 422), (#"{"stages": ["dance"]}"#, 422),
            (#"{"agent": "a b"}"#, 422), (#"{"steps": 0}"#, 422), (#"{"compat": "loose"}"#, 422),
            (#"{"problem": "AG-01", "suite": "lite"}"#, 422),
        ] {
            let answer = try await server.send("POST", path, body)
            #expect(answer.status == status && answer.text("code") != nil, "\(body): \(answer.text)")
        }
        #expect(try await server.send("GET", path + "/none").status == 404)
        #expect(try await server.send("GET", "/v1/none").status == 404)
        let huge = #"{"agent": "\#(String(repeating: "x", count: 1 << 21))"}"#
        #expect(try await server.send("POST", path, huge).status == 413)
    }

    @Test func `a batch puts a suite to scripted agents`() async throws {
        let server = try await Server()
        defer { server.stop() }
        let created = try await server.send(
            "POST", "/v1/aiops/batches", #"{"problem": "AG-01", "agents": ["oracle", "dummy"]}"#)
        let id = try #require(created.text("id"))
        try await eventually("the batch is done") {
            try await server.send("GET", "/v1/aiops/batches/\(id)").text("state") == "done" ? true : nil
        }
        let board = try await server.send("GET", "/v1/aiops/leaderboard?format=csv")
        let agents = board.text.split(separator: "\n").dropFirst().map { $0.split(separator: ",")[1] }
        #expect(agents == ["oracle", "dummy"])
    }

    @Test func `a batch goes on where a server that was killed left it`() async throws {
        let first = try await Server()
        let created = try await first.send(
            "POST", "/v1/aiops/batches",
            #"{"problem": "AG-01", "agents": ["oracle", "always-yes", "dummy"]}"#)
        let id = try #require(created.text("id"))
        // Some of it is done, and some is not.
        try await eventually("an agent has played") {
            try await first.send("GET", "/v1/aiops/batches/\(id)").text.contains(#""done":["oracle""#)
                ? true : nil
        }
        first.kill()
        let second = try await Server(data: first.data)
        defer { second.stop() }
        try await eventually("the batch is done") {
            try await second.send("GET", "/v1/aiops/batches/\(id)").text("state") == "done" ? true : nil
        }
        let board = try await second.send("GET", "/v1/aiops/leaderboard?format=csv")
        let agents = board.text.split(separator: "\n").dropFirst().map { $0.split(separator: ",")[1] }
        #expect(agents.sorted() == ["always-yes", "dummy", "oracle"])
    }

    @Test func `drivers of SREGym find their paths`() async throws {
        let server = try await Server()
        defer { server.stop() }
        let session = try await server.session(
            #"{"problem": "AG-01", "noop": false, "stages": ["localisation", "mitigation"]}"#)
        let stage = { try await server.send("GET", "/status").text("stage") }
        #expect(try await stage() == "diagnosis")
        #expect(try await server.send("GET", "/get_app").text("app_name") == "basalt")
        let first = try await server.send("POST", "/submit", #"{"solution": "agent/a-03, agent/a-04"}"#)
        #expect(first.text("status") == "received")
        #expect(try await stage() == "mitigation")
        _ = try await server.send("POST", "/submit", #"{"solution": ""}"#)
        #expect(try await stage() == "done")
        let score = try await server.send("GET", "/v1/aiops/sessions/\(session.id)/score")
        let grade = try JSONDecoder().decode(Ended.self, from: Data(score.text.utf8)).grade
        #expect(grade.stages.map(\.stage) == [.localisation, .mitigation])
    }
}
