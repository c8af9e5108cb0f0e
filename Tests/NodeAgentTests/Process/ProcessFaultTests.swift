import AgentProtocol
import Fleet
import Foundation
@testable import NodeAgent
import Shim
import Testing

extension ProcessSuites {
    /// Agents, shims, disks and clocks that fail.
    @Suite("Process substrate under faults", .serialized)
    struct ProcessFaultTests {
        @Test("At the deadline shims stop `stop` parts without an agent, and `keep` parts go on")
        func fence() async throws {
            try await ProcessHost.run { host in
                try host.renew(stopAfterSeconds: 3600)
                try host.shell(1, "sleep 1000", onPartition: .stop)
                try host.shell(2, "trap '' TERM; while true; do sleep 1000; done", onPartition: .stop)
                try host.shell(3, "sleep 1000", onPartition: .keep)
                for number in 1...3 { try await host.runs(number) }
                // Shorter terms, and then nobody renews.
                let sentAt = host.clock.wallTime()
                try host.renew(stopAfterSeconds: 5)
                try await host.close()
                for number in 1...2 {
                    try await eventually("part \(number) is stopped") {
                        if case .ended = try host.directory(number).progress() { true } else { false }
                    }
                }
                try host.open()
                let end = try await host.ends(1)
                #expect(end.outcome == .stopped && end.message?.contains("fence deadline") == true)
                #expect(try await host.ends(2).exitCode == 137)
                #expect(try host.state(3) == .running)
                let stops = try host.records().filter { $0.event == .stop }
                #expect(stops.allSatisfy { $0.reason == .fenced })
                // By the shims' notes, as this process may be slow to look. The stubborn one was killed a
                // fifth of the time later, well before anybody fences.
                #expect(stops.allSatisfy { $0.time.since(sentAt) < .seconds(5 * 40 / 25) })
                #expect(throws: RuntimeError.self) { try host.shell(4, "true", onPartition: .stop) }
            }
        }

        @Test("Renewals move the deadline; a damaged file extends nothing")
        func renewals() async throws {
            try await ProcessHost.run { host in
                #expect(throws: RuntimeError.self) { try host.shell(9, "true", onPartition: .stop) }
                try host.renew(stopAfterSeconds: 3600)
                try host.shell(1, "sleep 1000", onPartition: .stop)
                try await host.runs(1)
                try host.renew(stopAfterSeconds: 2)
                let first = host.clock.now().advanced(by: .seconds(2))
                let second = host.clock.now().advanced(by: .seconds(12))
                try host.renew(stopAfterSeconds: 12)
                try await eventually("the first deadline is over") {
                    host.clock.now() > first.advanced(by: .milliseconds(500))
                }
                let state = try host.state(1)
                // Whoever was held up until the second deadline has seen nothing.
                if host.clock.now() < second { #expect(state == .running) }
                try Data("garbage".utf8).write(to: URL(fileURLWithPath: host.layout.fence))
                #expect(try await host.ends(1).message?.contains("fence deadline") == true)
            }
        }

        @Test("A killed shim takes its part along, and all that it started")
        func killedShim() async throws {
            try await ProcessHost.run { host in
                try host.shell(1, "setsid sleep 1000 & echo up; sleep 1000")
                try await host.runs(1)
                try await eventually("it is up") { try host.output(1) == "up\n" }
                let process = try host.process(1)
                kill(process.shim.processID, SIGKILL)
                let end = try await host.ends(1)
                #expect(end.outcome == .failed && end.message?.contains("shim was killed") == true)
                #expect(!process.command.isAlive)
                #expect(LeftoverProcesses.kill(id(1), record: nil, groups: [], bootID: ""))
                #expect(try host.records().map(\.event) == [.start, .stop])
            }
        }

        @Test("A shim killed while no agent is there is found out when one comes")
        func killedShimAlone() async throws {
            try await ProcessHost.run { host in
                try host.shell(1, "setsid sleep 1000 & echo up; sleep 1000")
                try await eventually("it is up") { try host.output(1) == "up\n" }
                try await host.runs(1)
                try await host.close()
                kill(try host.process(1).shim.processID, SIGKILL)
                try host.open()
                #expect(try await host.ends(1).outcome == .failed)
                #expect(LeftoverProcesses.kill(id(1), record: nil, groups: [], bootID: ""))
            }
        }

        @Test("A process that has the id of one that is gone is left alone")
        func reusedID() async throws {
            try await ProcessHost.run { host in
                try host.start(1)
                try host.start(2)
                try await host.runs(1)
                try await host.runs(2)
                let bystander = try host.process(2)
                try await host.close()
                let process = try host.process(1)
                kill(process.shim.processID, SIGKILL)
                try await eventually("the command is gone") { !process.command.isAlive }
                // As if the ids of the first part were the second's by now.
                var record = process
                record.command = ProcessIdentity(
                    processID: bystander.command.processID, startTicks: bystander.command.startTicks - 1)
                record.shim = ProcessIdentity(
                    processID: bystander.shim.processID, startTicks: bystander.shim.startTicks - 1)
                try Data(record.text.utf8).write(
                    to: URL(fileURLWithPath: "\(host.directory(1).path)/\(PartFiles.process)"))
                try host.open()
                #expect(try await host.ends(1).outcome == .failed)
                #expect(bystander.command.isAlive && bystander.shim.isAlive)
                #expect(try host.state(2) == .running)
            }
        }

        @Test("What ran before the machine was started anew has ended, at the last renewal")
        func otherBoot() async throws {
            try await ProcessHost.run { host in
                try host.renew(stopAfterSeconds: 3600)
                try host.start(1)
                try await host.runs(1)
                try await host.close()
                let process = try host.process(1)
                kill(process.shim.processID, SIGKILL)
                try await eventually("the command is gone") { !process.command.isAlive }
                var record = process
                record.bootID = "earlier"
                try Data(record.text.utf8).write(
                    to: URL(fileURLWithPath: "\(host.directory(1).path)/\(PartFiles.process)"))
                var fence = try #require(FenceDeadline.read(host.layout.fence))
                fence.bootID = "earlier"
                fence.writtenAt += 1_000_000
                try Data(fence.text.utf8).write(to: URL(fileURLWithPath: host.layout.fence))
                try host.open()
                #expect(try await host.ends(1).message == "the machine was started anew")
                #expect(try host.records().last?.time.microseconds == fence.writtenAt)
            }
        }

        @Test("A shim that is not there fails the start, not the agent")
        func noShim() async throws {
            try await ProcessHost.run { host in
                var configuration = try host.require().configuration
                configuration.shim = "/no/such/shim"
                configuration.directory = host.root + "/other"
                let logger = try host.require().logger
                let substrate = try ProcessSubstrate.open(configuration, clock: host.clock, logger: logger)
                try substrate.start(PartStart(key: key(ProcessHost.name, 1), directive: directive(1)))
                try await withThrowingTaskGroup { group in
                    group.addTask { try await substrate.run() }
                    try await eventually("it failed") {
                        guard case .ended(let end) = try substrate.parts().first?.state else { return false }
                        return end.message?.contains("/no/such/shim") == true
                    }
                    group.cancelAll()
                }
            }
        }

        @Test("On a full disk nothing starts unnoted, and no end is lost", .enabled(if: getuid() == 0))
        func fullDisk() async throws {
            let directory = try TemporaryDirectory()
            let place = directory.path
            try #require(mount("tmpfs", place, "tmpfs", 0, "size=512k") == 0)
            defer { umount2(place, 2) }
            let filler = URL(fileURLWithPath: place + "/filler")
            func fill() {
                let descriptor = open(filler.path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
                let block = [UInt8](repeating: 1, count: 4096)
                while write(descriptor, block, block.count) > 0 {}
                close(descriptor)
            }
            try await ProcessHost.run(in: place) { host in
                try host.shell(
                    1, "while [ ! -e /dev/shm/\(id(1) as ID<Allocation>) ]; do sleep 0.02; done; exit 9")
                try await host.runs(1)
                fill()
                let refusal = #expect(throws: RuntimeError.self) { try host.shell(2, "sleep 1000") }
                guard case .refused(let message) = refusal else {
                    Issue.record("\(String(describing: refusal))")
                    return
                }
                #expect(message.contains("cannot be noted"))
                #expect(try host.parts().count == 1 && host.directories().count == 1)
                // The end of what ran has its room.
                let gate = "/dev/shm/\(id(1) as ID<Allocation>)"
                try Data().write(to: URL(fileURLWithPath: gate))
                defer { unlink(gate) }
                #expect(try await host.ends(1).exitCode == 9)
                try FileManager.default.removeItem(at: filler)
                try host.shell(2, "sleep 1000")
                try await host.runs(2)
                #expect(try host.records().count { $0.event == .start } == 2)
            }
        }
    }
}
