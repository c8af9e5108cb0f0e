import APITypes
import Client
import FaultInjection
import FaultLab
import Fleet
import Foundation
import LiveLab
import Testing

extension EndToEndTests {
    /// Faults that an agent does to itself, seen by the control plane.
    @Suite(
        .enabled(if: ProcessInfo.processInfo.environment["BASALT_LIVE_SUITE"] != nil, "BASALT_LIVE_SUITE"))
    struct SeamTests {
        private static func program(_ agent: SimulatedAgent) throws -> TargetFile.Program {
            let line = try #require(
                FileManager.default.contents(atPath: "/proc/\(agent.program.processID)/cmdline"))
            let command = line.dropLast().split(separator: 0, omittingEmptySubsequences: false)
                .map { String(decoding: $0, as: UTF8.self) }
            return .init(command: command, log: agent.program.logFile.path)
        }

        private static func inject(
            _ basalt: Deployment, _ kind: FaultKind, _ target: FaultTarget,
            _ parameters: FaultParameters = FaultParameters()
        ) async throws {
            _ = try await basalt.client().injectFault(
                FaultDraft(
                    name: kind.rawValue.lowercased(),
                    spec: FaultSpec(
                        kind: kind, selector: TargetSelector(names: [target]), parameters: parameters,
                        leaseSeconds: 600)))
            try await eventually("\(kind) is in effect") {
                try await basalt.client().fault(kind.rawValue.lowercased()).state == .active
            }
        }

        private static func end(_ basalt: Deployment, _ kind: FaultKind) async throws {
            let name = kind.rawValue.lowercased()
            _ = try await basalt.client().abortFault(name, reason: "seen")
            try await eventually("\(kind) is over") {
                try await basalt.client().fault(name).state == .recovered
            }
        }

        @Test func anAgentFailsAsItIsToldAndIsWellAfterIt() async throws {
            try await Deployment.run { basalt in
                let seam = basalt.directory.appending(path: "seam-x").path
                // The agent that the injector started again, and the injector; the server is stopped in order.
                defer {
                    LocalProcesses.end(mentioning: seam)
                    LocalProcesses.end(mentioning: basalt.injectorState("i"))
                }
                try await basalt.startController("a")
                try await basalt.makeFleet()
                let agent = try await basalt.startAgent(
                    "x", hosts: 1, ["--gpus", "h100=4", "--fault-seam", seam])
                try await basalt.hostsReady(1)
                let target = FaultTarget(.agent, "x")
                try await basalt.startInjector(
                    "i",
                    [
                        .init(
                            target: target, hosts: ["x-0"], program: try Self.program(agent), seams: [seam]),
                        .init(target: FaultTarget(.host, "x-0"), hosts: ["x-0"], seams: [seam]),
                    ])
                #expect(agent.program.log.contains("fault seam"))

                try await Self.inject(basalt, .heartbeatDrop, target)
                try await basalt.host("x-0", is: .suspect, within: patience)
                try await Self.end(basalt, .heartbeatDrop)
                try await basalt.hostsReady(1)

                func devices() async throws -> Int {
                    let host = try await basalt.client().get("x-0", in: Collection(.host))
                    return host.status?["inventory"]?["devices"]?.array?.count ?? -1
                }
                try await eventually("all devices are known") { try await devices() == 4 }
                try await Self.inject(basalt, .wrongInventory, target, FaultParameters(count: 3))
                try await eventually("devices are missing") { try await devices() == 1 }
                try await Self.end(basalt, .wrongInventory)
                try await eventually("they are back") { try await devices() == 4 }

                try await Self.inject(
                    basalt, .vmStartFailure, FaultTarget(.host, "x-0"),
                    FaultParameters(probability: 1, value: "too many open files"))
                try await basalt.createVM("v", Deployment.spec())
                try await eventually("its start fails") {
                    try await basalt.events(.startFailed).contains {
                        $0.message.contains("too many open files")
                    }
                }
                try await Self.end(basalt, .vmStartFailure)
                try await basalt.allRun(1, within: patience)
            }
        }

        /// The link between the controller that plans and its database is cut, and loses its answers.
        /// It waits for callers that time out: with the other live suites (`make live`).
        @Test func anotherControllerTakesOverFromOneWithoutAStore() async throws {
            let programs = try ChildProgram.executable("basaltd").deletingLastPathComponent().path
            var options = LiveFleet.Options(programs: programs)
            options.agents = 1
            options.residents = 0
            try await LiveFleet.run(options, seams: Deployment.seams) { fleet in
                for kind in [FaultKind.linkPartition, .storeOutcomeUnknown] {
                    let times = try await fleet.timeOfLosingStoreLink(kind, run: 1)
                    #expect(times.restarted > 0, "\(kind)")
                }
            }
        }
    }
}
