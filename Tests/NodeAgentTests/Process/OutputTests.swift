import AgentProtocol
import Fleet
@testable import NodeAgent
import Shim
import Testing

extension ProcessSuites {
    @Suite("Output of parts")
    struct OutputTests {
        private let directory: TemporaryDirectory

        init() throws { directory = try TemporaryDirectory() }

        private func piece(_ position: Int, _ text: String) throws {
            try directory.write(text, to: PartFiles.output(from: position))
        }

        private func read(
            after: Int? = nil, tail: Int? = nil, hasEnded: Bool = false
        ) throws -> LogPiece {
            let question = LogQuestion(
                id: id(1), host: "h", allocation: id(2), after: after, tailLines: tail)
            return try PartOutput(directory: directory.path).read(question, hasEnded: hasEnded)
        }

        @Test("Positions go through pieces, and say what is no longer kept")
        func positions() throws {
            #expect(try read() == LogPiece(text: "", next: 0, isCaughtUp: true, isEnd: false))
            #expect(try read(hasEnded: true).isEnd)
            try piece(100, "one\ntwo\n")
            try piece(108, "three\n")
            let all = try read()
            #expect(all == LogPiece(text: "one\ntwo\nthree\n", next: 114, isCaughtUp: true, isEnd: false))
            #expect(try read(after: 104).text == "two\nthree\n")
            #expect(
                try read(after: 40)
                    == LogPiece(
                        text: "one\ntwo\nthree\n", next: 114, isCaughtUp: true, isEnd: false, skippedBytes: 60
                    ))
            #expect(try read(after: 114, hasEnded: true).isEnd)
            #expect(try read(after: 9000).next == 114)
        }

        @Test(
            "The last lines are found",
            arguments: [(0, ""), (1, "three\n"), (2, "two\nthree\n"), (9, "one\ntwo\nthree\n")])
        func tail(_ lines: Int, _ text: String) throws {
            try piece(0, "one\ntwo\n")
            try piece(8, "three\n")
            #expect(try read(tail: lines).text == text)
            #expect(try read(tail: lines).next == 14)
        }

        @Test("A large output comes in pieces that add up, whatever its characters")
        func large() throws {
            let text = String(repeating: "äöü€😀x", count: 20_000)
            try piece(0, text)
            var (seen, position) = ("", 0)
            repeat {
                let next = try read(after: position)
                #expect(next.text.utf8.count <= LogLimit.pieceBytes && next.next > position)
                seen += next.text
                position = next.next
            } while position < text.utf8.count
            #expect(seen == text)
        }

        @Test("What is being written is read while it comes, and its end is told")
        func follow() async throws {
            try await ProcessHost.run { host in
                try host.shell(1, "echo first; while [ ! -e go ]; do sleep 0.01; done; echo last")
                try await eventually("it wrote") { try host.output(1) == "first\n" }
                let substrate = try host.require()
                @Sendable func ask(_ after: Int?, wait: Double) async throws -> LogPiece {
                    try await substrate.read(
                        LogQuestion(
                            id: id(7), host: ProcessHost.name, allocation: id(1), after: after,
                            waitSeconds: wait))
                }
                let first = try await ask(nil, wait: 0)
                #expect(first.text == "first\n" && first.isCaughtUp && !first.isEnd)
                #expect(try await ask(first.next, wait: 0.05).text.isEmpty)
                let position = first.next
                async let next = ask(position, wait: 10)
                try TemporaryDirectory.touch("\(host.directory(1).path)/work/go")
                #expect(try await next.text == "last\n")
                _ = try await host.ends(1)
                #expect(try await ask(first.next, wait: 0).isEnd)
                await #expect(throws: RuntimeError.unknownPart) {
                    try await substrate.read(
                        LogQuestion(id: id(7), host: ProcessHost.name, allocation: id(99)))
                }
            }
        }
    }
}
