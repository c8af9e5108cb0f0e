import FaultLab
import Foundation
import Testing

@Suite struct ActionTextParserTests {
    private struct Vectors: Decodable {
        struct Vector: Decodable {
            var `in`: String
            var api: String?
            var args: [ActionValue]?
            var kwargs: [String: ActionValue]?
            var error: String?
        }

        var vectors: [Vector]
    }

    @Test func `strict reads as AIOpsLab's parser does`() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Fixtures/aiopslab-parser-vectors.json")
        let vectors = try JSONDecoder().decode(Vectors.self, from: Data(contentsOf: file)).vectors
        #expect(vectors.count == 14)
        for vector in vectors {
            do throws(ActionTextFailure) {
                let call = try ActionTextParser(.strict).parse(vector.in)
                #expect(
                    call
                        == ActionCall(
                            name: vector.api ?? "an error", arguments: vector.args ?? [],
                            keywords: vector.kwargs ?? [:]), "\(vector.in)")
            } catch {
                switch vector.error {
                case "format": #expect(error.code == .format, "\(vector.in)")
                case "commands must be quoted strings":
                    #expect(error.code == .unquotedCommand, "\(vector.in)")
                default: Issue.record("\(vector.in): \(error.message)")
                }
            }
        }
    }

    @Test(arguments: [
        ("```python\nsubmit(\"Yes\")\n```", "submit(\"Yes\")"),
        ("submit(\"Yes\")", "submit(\"Yes\")"),
        ("I think:\nsubmit('No')\nbecause", "submit(\"No\")"),
        ("```\nget_logs(\"ns\", \"svc\")\n```\ntext\n```\nsubmit(\"No\")\n```", "get_logs(\"ns\", \"svc\")"),
        ("```\nexec_shell(\"ls\", timeout=5)\n```", "exec_shell(\"ls\", timeout=5)"),
        ("```\nexec_shell(\"echo \\\"hi\\\"\")\n```", "exec_shell(\"echo \\\"hi\\\"\")"),
        ("```\nexec_shell(\"a\")\nexec_shell(\"b\")\n```", "exec_shell(\"a\")"),
        ("```\nsubmit([\"a\",\n  \"b\",])\n```", "submit([\"a\", \"b\"])"),
        (
            "```json\nsubmit({\"x\": [1, -2.5, None], 'y': (True,)})\n```",
            "submit({\"x\": [1, -2.5, None], \"y\": [True]})"
        ),
        ("```\nsubmit(Yes)\n```", "submit(\"Yes\")"),
        ("drain(host-a/1, deadline_s=60)", "drain(\"host-a/1\", deadline_s=60)"),
    ])
    func `lenient reads what was plainly meant`(answer: String, meant: String) throws {
        let call = try ActionTextParser(.lenient).parse(answer)
        #expect(call.text == meant)
        // What is written is read again.
        #expect(try ActionTextParser(.lenient).parse(call.fenced) == call)
    }

    @Test(arguments: [
        "", "no call", "```\n\n```", "```\nsubmit(\n```", "submit(\"", "submit(a=1, a=2)", "submit(a=1, 2)",
        "submit([1, 2", "submit({1})", "submit(\"\\u12\")", "submit(1.2.3)", "(x)", "9x(1)",
        "submit(" + String(repeating: "[", count: 5000) + ")",
    ])
    func `what is no call is refused`(answer: String) {
        #expect(throws: ActionTextFailure.self) { try ActionTextParser(.lenient).parse(answer) }
    }

    @Test func `long answers cost no more than their length`() {
        let fences = String(repeating: "```\n", count: 60_000)
        let clock = ContinuousClock()
        let taken = clock.measure {
            _ = try? ActionTextParser(.strict).parse(fences)
            _ = try? ActionTextParser(.lenient).parse(fences)
        }
        // Quadratic reading takes minutes.
        #expect(taken < .seconds(20))
        #expect(throws: ActionTextFailure.self) {
            try ActionTextParser(.strict).parse(String(repeating: "x", count: ActionTextParser.longest + 1))
        }
    }

    @Test func `arguments are bound by place and by name`() throws {
        let call = ActionCall(
            name: "get_logs", arguments: [.text("agent/a")], keywords: ["since_s": .text("9")])
        let action = try AgentAction(call, stage: .detection, mode: .lenient)
        #expect(action == .read(.logs(ReadAction.LogQuery(target: "agent/a", sinceSeconds: 9))))
        let drain = try AgentAction(
            ActionCall(name: "drain", arguments: [.text("h-1")]), stage: .mitigation, mode: .lenient)
        #expect(
            drain
                == .write(
                    WriteAction(.drain, ComponentName("host/h-1"), details: ["deadline_s": .integer(600)])))
        for bad in [
            ActionCall(name: "get_log"), ActionCall(name: "drain"),
            ActionCall(name: "drain", arguments: [.text("a"), .integer(1), .integer(2)]),
            ActionCall(name: "drain", arguments: [.text("a")], keywords: ["host": .text("b")]),
            ActionCall(name: "drain", arguments: [.text("a")], keywords: ["deadline_s": .text("soon")]),
            ActionCall(name: "drain", keywords: ["hots": .text("a")]),
        ] {
            #expect(throws: ActionRefusal.self) {
                try AgentAction(bad, stage: .mitigation, mode: .lenient)
            }
        }
    }

    @Test func `every action is described and can be called`() throws {
        for verb in ActionVerb.allCases where verb != .submit {
            let signature = verb.signature
            #expect(!signature.documentation.isEmpty && signature.access != .submit)
            var call = ActionCall(name: verb.rawValue)
            for parameter in signature.parameters where parameter.isRequired {
                call.keywords[parameter.name] =
                    switch parameter.form {
                    case .text: .text("x/y")
                    case .integer: .integer(1)
                    case .bool: .bool(true)
                    case .texts: .list([])
                    case .mapping: .mapping([:])
                    }
            }
            _ = try AgentAction(call, stage: .mitigation, mode: .lenient)
        }
    }

    @Test func `a keyword is an answer for lenient readers alone`() throws {
        let call = ActionCall(name: "submit", keywords: ["has_anomaly": .text("Yes")])
        #expect(try Solution(call, for: .detection, mode: .lenient) == .detection(hasAnomaly: true))
        #expect(throws: ActionRefusal.self) { try Solution(call, for: .detection, mode: .strict) }
    }
}
