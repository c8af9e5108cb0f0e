import AgentProtocol
import Fleet
import Foundation
@testable import NodeAgent
import Shim
import Testing

extension ProcessSuites {
    /// Real processes under real shims, one scenario after another.
    @Suite("Process substrate", .serialized)
    struct ProcessTests {
        @Test("A command runs with its variables, in its directory, and its end is told")
        func run() async throws {
            try await ProcessHost.run { host in
                try host.start(
                    1, ["sh", "-c", "echo $GREETING from $BASALT_NAME; pwd; echo oops >&2; exit 7"],
                    env: ["GREETING": "hello"], workingDirectory: "/tmp")
                let end = try await host.ends(1)
                #expect(end == PartEnd(outcome: .failed, exitCode: 7, message: "ended by itself"))
                #expect(try host.output(1) == "hello from vm-1\n/tmp\noops\n")
                let records = try host.records()
                #expect(records.map(\.event) == [.start, .stop])
                #expect(records.first?.directive?.task?.run?.env == ["GREETING": "hello"])
                #expect(records.last?.reason == .exited && records.last?.end == end)
                let runs = try RunJournal.runs(in: host.root, clock: host.clock)
                #expect(runs.count == 1 && runs[0].to != nil && runs[0].host == ProcessHost.name)
            }
        }

        @Test(
            "What cannot run, or is killed, says how",
            arguments: [
                (["no-such-program"], 127, "command not found: no-such-program"),
                (["/no/such/program"], 127, "command not found: /no/such/program"),
                (["/etc/passwd"], 126, "/etc/passwd cannot run: Permission denied"),
                (["sh", "-c", "kill -SEGV $$"], 139, "killed by SIGSEGV"),
                (["sh", "-c", "kill -KILL $$"], 137, "killed by SIGKILL"),
                (["true"], 0, "ended by itself"),
            ])
        func failures(_ command: [String], _ code: Int, _ message: String) async throws {
            try await ProcessHost.run { host in
                try host.start(1, command)
                #expect(
                    try await host.ends(1) == PartEnd(outcome: .failed, exitCode: code, message: message))
                #expect(try host.records().map(\.event) == [.start, .stop])
            }
        }

        @Test("A directory that is not there is named")
        func noDirectory() async throws {
            try await ProcessHost.run { host in
                try host.start(1, ["true"], workingDirectory: "missing")
                let end = try await host.ends(1)
                #expect(end.exitCode == 126 && end.message?.contains("missing: No such file") == true)
            }
        }

        @Test("A part without a command idles until it is stopped; what has ended is forgotten when asked")
        func idle() async throws {
            try await ProcessHost.run { host in
                try host.start(1)
                try await host.runs(1)
                try host.stop(1)
                let end = try await host.ends(1)
                #expect(end == PartEnd(outcome: .stopped, exitCode: 143, message: "killed by SIGTERM"))
                try host.start(1)
                #expect(try host.records().count { $0.event == .start } == 1)
                let before = try host.records()
                try host.require().forget([key(ProcessHost.name, 1)])
                #expect(try host.parts().isEmpty && host.directories().isEmpty)
                #expect(try host.records().prefix(before.count).map(\.event) == before.map(\.event))
                #expect(throws: RuntimeError.unknownPart) { try host.stop(1) }
                try await host.reopen()
                #expect(try host.parts().isEmpty)
            }
        }

        @Test("A command that takes no hint is killed after the grace, with all that it started")
        func stubborn() async throws {
            try await ProcessHost.run { host in
                host.grace = .milliseconds(300)
                try await host.reopen()
                // One grandchild in the same session, one that left it; none listens.
                try host.shell(
                    1,
                    "trap '' TERM; sleep 1000 & setsid sleep 1000 & echo up; while true; do sleep 1000; done")
                try await eventually("it is up") { try host.output(1) == "up\n" }
                try host.stop(1)
                let end = try await host.ends(1)
                #expect(end == PartEnd(outcome: .stopped, exitCode: 137, message: "killed by SIGKILL"))
                #expect(LeftoverProcesses.kill(id(1), record: nil, groups: [], bootID: ""))
            }
        }

        @Test("What prepares the end runs first, knows whose end it is, and is told of when it fails")
        func preparation() async throws {
            try await ProcessHost.run { host in
                // Ends with the signal, and says whether the file was there by then.
                let rank = "trap 'cat kept; exit 0' USR1; echo up; while true; do sleep 0.05; done"
                let save = "test -d /proc/$BASALT_PID && echo $STEP > $BASALT_WORK_DIR/kept"
                for (number, script) in [(1, save), (2, save + "; exit 9"), (3, save + "; sleep 1000")] {
                    try host.start(
                        number, ["sh", "-c", rank], env: ["STEP": "42"],
                        stop: StopRequest(
                            signal: .user1, graceSeconds: 30, command: ["sh", "-c", script], commandSeconds: 2
                        ))
                    try await eventually("it is up") { try host.output(number) == "up\n" }
                    try host.stop(number)
                }
                let ends = [try await host.ends(1), try await host.ends(2), try await host.ends(3)]
                #expect(ends.map(\.exitCode) == [0, 0, 0])
                #expect(
                    ends.map(\.message) == [
                        "ended when asked to",
                        "ended when asked to; the checkpoint command failed with code 9",
                        "ended when asked to; the checkpoint command took too long",
                    ])
                // Shells may say of the sleep that a signal ended it.
                for number in 1...3 { #expect(try host.output(number).hasSuffix("42\n")) }
                #expect(LeftoverProcesses.kill(id(3), record: nil, groups: [], bootID: ""))
            }
        }

        @Test("A command that ends leaves nothing behind, wherever it put it")
        func orphans() async throws {
            try await ProcessHost.run { host in
                try host.shell(1, "(setsid sh -c 'sleep 1000; true' &) ; exit 3")
                #expect(try await host.ends(1).exitCode == 3)
                #expect(LeftoverProcesses.kill(id(1), record: nil, groups: [], bootID: ""))
            }
        }

        @Test("An agent that comes back adopts what runs, and hears what ended meanwhile")
        func adoption() async throws {
            try await ProcessHost.run { host in
                try host.shell(1, "sleep 1000")
                try host.shell(3, "sleep 1000")
                for number in [1, 3] { try await host.runs(number) }
                let before = try host.process(1)
                try await host.close()
                #expect(before.command.isAlive && before.shim.isAlive)
                kill(try host.process(3).command.processID, SIGKILL)
                try await eventually("the end is on disk") {
                    if case .ended = try host.directory(3).progress() { true } else { false }
                }
                try host.open()
                #expect(try host.state(1) == .running)
                #expect(try await host.ends(3).message == "killed by SIGKILL")
                #expect(try host.process(1) == before)
                #expect(try host.records().count { $0.event == .start } == 2)
                #expect(try host.records().contains { $0.event == .adopt && $0.allocation == id(1) })
                // Adopted parts are in hand: they stop when asked.
                try host.stop(1)
                #expect(try await host.ends(1).outcome == .stopped)
            }
        }

        @Test("One substrate at a time")
        func locked() async throws {
            try await ProcessHost.run { host in
                let configuration = try host.require().configuration
                #expect(throws: JournalError.self) {
                    try ProcessSubstrate.open(
                        configuration, clock: host.clock, logger: try host.require().logger)
                }
            }
        }

        @Test("An order that was not begun when the agent ended is not begun later")
        func neverLaunched() async throws {
            try await ProcessHost.run { host in
                try await host.reopen(running: false)
                try host.shell(1, "sleep 1000")
                try await host.reopen()
                let end = try await host.ends(1)
                #expect(end.outcome == .failed && end.message?.hasPrefix("never started") == true)
                #expect(try host.records().map(\.event) == [.stop])
                #expect(try RunJournal.runs(in: host.root, clock: host.clock).isEmpty)
            }
        }

        @Test("A stop overtakes a start that waits")
        func stopBeforeStart() async throws {
            try await ProcessHost.run { host in
                try await host.reopen(running: false)
                try host.shell(1, "sleep 1000")
                try host.stop(1)
                #expect(try host.state(1) == .ended(.neverStarted))
            }
        }

        @Test("200 parts run on one host, and stop")
        func many() async throws {
            try await ProcessHost.run { host in
                let began = ContinuousClock.now
                for number in 1...200 { try host.start(number) }
                try await eventually("200 run") {
                    try host.parts().count { $0.state == .running } == 200
                }
                let ran = ContinuousClock.now
                try await host.reopen()
                #expect(try host.parts().count { $0.state == .running } == 200)
                let adopted = ContinuousClock.now
                for number in 1...200 { try host.stop(number) }
                try await eventually("none runs") {
                    try host.parts().allSatisfy { if case .ended = $0.state { true } else { false } }
                }
                Swift.print(
                    "200 parts: started in \(ran - began), adopted in \(adopted - ran), "
                        + "stopped in \(ContinuousClock.now - adopted)")
                #expect(try host.records().count { $0.event == .start } == 200)
                #expect(try RunJournal.runs(in: host.root, clock: host.clock).allSatisfy { $0.to != nil })
            }
        }

        @Test("Output is kept in pieces of bounded size, the oldest go first")
        func rotation() async throws {
            try await ProcessHost.run { host in
                host.logBytes = 1000
                try await host.reopen()
                try host.shell(1, "i=0; while [ $i -lt 500 ]; do echo line $i; i=$((i+1)); done")
                _ = try await host.ends(1)
                let pieces = try host.pieces(1)
                try #require(pieces.count == 3)
                #expect(pieces.allSatisfy { (1...1000).contains($0.utf8.count) })
                #expect(pieces.joined().hasSuffix("line 498\nline 499\n"))
                #expect(pieces[0].utf8.count == 1000 && pieces[1].utf8.count == 1000)
            }
        }

        /// A running part is held to less CPU, and let go again.
        private static func throttles(_ host: ProcessHost, _ groups: [String]) async throws {
            let substrate = try host.require()
            let throttle = try #require(substrate.throttle)
            func quota() throws -> String {
                let names = ["cpu.max", "cpu.cfs_quota_us"].map { "\(groups[0])/\($0)" }
                let file = try #require(names.first { FileManager.default.fileExists(atPath: $0) })
                let text = try String(contentsOfFile: file, encoding: .utf8)
                return String(text.split { $0 == " " || $0.isNewline }[0])
            }
            let part = try #require(try substrate.parts().first)
            let sold = part.directive.resources.milliCPU
            #expect(try quota() == "\(sold * 100)")
            try await throttle.setQuotas([part.key: 0.05], host: substrate.host)
            #expect(try quota() == "5000")
            // Nobody is given more than he was sold, and who is not named is let go.
            try await throttle.setQuotas([part.key: 99], host: substrate.host)
            #expect(try quota() == "\(sold * 100)")
            try await throttle.setQuotas([part.key: 0.05], host: substrate.host)
            try await throttle.setQuotas([:], host: substrate.host)
            #expect(try quota() == "\(sold * 100)")
            // What an agent before held back, the first call of the next one lets go.
            try await throttle.setQuotas([part.key: 0.05], host: substrate.host)
            try await #require(substrate.throttle).setQuotas([:], host: substrate.host)
            #expect(try quota() == "\(sold * 100)")
        }

        @Test("Parts are held to their CPU and memory where control groups can be written")
        func bounds() async throws {
            try await ProcessHost.run { host in
                let bounds = try host.require().bounds
                #expect(try host.require().labels["process.bounds"] == bounds.label)
                try host.start(1)
                try await host.runs(1)
                let groups = bounds.groups(of: id(1))
                guard !groups.isEmpty else { return }
                let process = try host.process(1).command.processID
                for group in groups {
                    let members = try String(contentsOfFile: "\(group)/cgroup.procs", encoding: .utf8)
                    #expect(members.split(separator: "\n").contains { $0 == "\(process)" })
                }
                if case .groupV1(_, let memory) = bounds.method {
                    let limit = try String(
                        contentsOfFile: "\(memory)/\(id(1) as ID<Allocation>)/memory.limit_in_bytes",
                        encoding: .utf8)
                    #expect(limit == "\(1024 << 20)\n")
                }
                try await Self.throttles(host, groups)
                try host.stop(1)
                _ = try await host.ends(1)
                #expect(groups.allSatisfy { !FileManager.default.fileExists(atPath: $0) })
            }
        }
    }
}
