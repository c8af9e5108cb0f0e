import APITypes
import Client
import Fleet
import Foundation
import NodeAgent
import Shim
import Testing

extension EndToEndTests {
    /// Real processes on a real host.
    @Suite struct ProcessTests {
        private static func running(
            _ script: String, onPartition: PartitionPolicy = .keep
        ) -> VMSpec {
            Deployment.spec(milliCPU: 100, memoryMiB: 64) {
                $0.run = RunSpec(command: ["sh", "-c", script])
                $0.onPartition = onPartition
            }
        }

        @Test func aKilledAgentAdoptsProcesses() async throws {
            try await Deployment.run(.init(host: 12, cell: 2)) { basalt in
                try await basalt.startController("a")
                try await basalt.makeFleet()
                let agent = try await basalt.startProcessAgent("metal")
                try await basalt.hostsReady(1)
                let labels = try await basalt.host("metal").inventory.labels
                try #require(labels["process.bounds"] != nil)
                try await basalt.createVM("keep", Self.running("exec sleep 1000"))
                try await basalt.createVM("stop", Self.running("exec sleep 1000", onPartition: .stop))
                try await basalt.createVM("idle", Deployment.spec(milliCPU: 100, memoryMiB: 64))
                try await basalt.allRun(3)
                let before = try basalt.processes(of: agent)
                try #require(before.count == 3)
                try #require(before.values.allSatisfy { $0.command.isAlive })

                try await agent.program.end()
                try #require(before.values.allSatisfy { $0.command.isAlive })
                let again = try await basalt.startProcessAgent("metal")
                try await eventually("everything is adopted") {
                    try basalt.journal().count { $0.event == .adopt } == 3
                }
                try await basalt.createVM("after", Self.running("exec sleep 1000"))
                try await basalt.allRun(4)
                let after = try basalt.processes(of: again)
                try #require(before.allSatisfy { after[$0.key] == $0.value })
                try #require(try await basalt.statuses().values.allSatisfy { $0.restarts == 0 })

                // The end of the agent that was asked for leaves everything as well.
                again.program.signal(SIGTERM)
                try #require(try await again.program.waitForExit() == 0)
                try #require(after.values.allSatisfy { $0.command.isAlive })
                try await basalt.startProcessAgent("metal")
                try await basalt.deleteVM("keep")
                try await basalt.vmIsGone("keep")
                try await basalt.verify(live: 3, starts: 4)
            }
        }

        @Test func shimsHoldTheDeadlineOfAFrozenAgent() async throws {
            try await Deployment.run { basalt in
                try await basalt.startController("a")
                try await basalt.makeFleet()
                let agent = try await basalt.startProcessAgent("metal")
                try await basalt.hostsReady(1)
                try await basalt.createVM("keep", Self.running("exec sleep 1000"))
                try await basalt.createVM(
                    "stop", Self.running("trap '' TERM; while true; do sleep 1; done", onPartition: .stop))
                try await basalt.allRun(2)
                let allocations = try await basalt.liveAllocations().mapValues { $0.map(\.id) }
                let processes = try basalt.processes(of: agent)
                func process(_ name: String) throws -> ProcessRecord {
                    let id = try #require(allocations[name]?.first)
                    return try #require(processes["\(id)"])
                }
                try await basalt.startAgent("safe", hosts: 1)
                try await basalt.hostsReady(2)

                agent.program.signal(SIGSTOP)
                let frozen = ContinuousClock.now
                let (stop, keep) = (try process("stop"), try process("keep"))
                try await eventually("the shim stops it") { !stop.command.isAlive }
                basalt.note("stop by the shim of a frozen agent", ContinuousClock.now - frozen)
                // Before anybody counts on it.
                try #require(try await basalt.host("metal").contact != .fenced)
                try await basalt.host("metal", is: .fenced)
                try await eventually("it runs elsewhere") {
                    let status = try await basalt.status("stop")
                    return status.state == .running && status.host == "safe-0"
                }
                try #require(keep.command.isAlive)
                agent.program.signal(SIGCONT)
                try await basalt.host("metal", is: .ready)
                try await basalt.vm("keep", is: .running)
                try #require(keep.command.isAlive)
                try await basalt.verify(live: 2, starts: 3)
            }
        }

        @Test func outputIsReadThroughAnyController() async throws {
            try await Deployment.run { basalt in
                let first = try await basalt.startController("a")
                try await basalt.makeFleet()
                // The agent knows one controller, and the reader asks the other.
                try await basalt.startProcessAgent("metal")
                let second = try await basalt.startController("b")
                try await basalt.hostsReady(1)
                try await basalt.createVM(
                    "web", Self.running("echo one; echo two >&2; echo three; exec sleep 1000"))
                try await basalt.vm("web", is: .running)
                for controller in [first, second] {
                    basalt.focus = controller
                    try await eventually("the output is there") {
                        let answer = try await basalt.basalt(["logs", "web", "-p", "shop"])
                        return answer.status == 0 && answer.output == "one\ntwo\nthree\n"
                    }
                    let tail = try await basalt.basalt(["logs", "web", "-p", "shop", "--tail", "1"])
                    try #require(tail.output == "three\n")
                }
                // A follower sees the end.
                try await basalt.createVM("short", Self.running("echo begun; sleep 2; echo over"))
                try await basalt.vm("short", is: .running)
                let follower = try await basalt.basalt(["logs", "short", "-p", "shop", "--follow"])
                try #require(follower.output.hasPrefix("begun\nover\n"), "\(follower.output)")
                try await basalt.deleteVM("short")

                try await basalt.startAgent("sim", hosts: 1)
                try await basalt.hostsReady(2)
                basalt.focus = nil
                _ = try await basalt.client().cordon(host: "metal", reason: "test")
                try await basalt.createVM("none")
                try await basalt.vm("none", is: .running)
                let none = try await basalt.basalt(["logs", "none", "-p", "shop"])
                try #require(none.status == 1 && none.output.contains("keeps no output"), "\(none.output)")
            }
        }

        @Test func endsAreTold() async throws {
            try await Deployment.run { basalt in
                try await basalt.startController("a")
                try await basalt.makeFleet()
                try await basalt.startProcessAgent("metal")
                try await basalt.hostsReady(1)
                for (name, script, words) in [
                    ("bad", "exit 7", "exit code 7"), ("crash", "kill -SEGV $$", "killed by SIGSEGV"),
                ] {
                    try await basalt.createVM(name, Self.running(script))
                    try await eventually("\(name) tells its end") {
                        try await basalt.client().events(.init(limit: 1000)).items.contains {
                            $0.name == name && $0.message.contains(words)
                        }
                    }
                    try await basalt.deleteVM(name)
                    try await basalt.vmIsGone(name)
                }
                try await basalt.createVM(
                    "missing", Deployment.spec { $0.run = RunSpec(command: ["no-such-program"]) })
                try await eventually("the command is missed") {
                    try await basalt.client().events(.init(limit: 1000)).items.contains {
                        $0.message.contains("command not found: no-such-program")
                    }
                }
                let refused = try await basalt.basalt(["operator", "check", "-o", "json"])
                try #require(refused.status == 0, "\(refused.output)")
            }
        }
    }
}
