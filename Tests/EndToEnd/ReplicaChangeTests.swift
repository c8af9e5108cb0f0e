import APITypes
import Client
import Fleet
import Foundation
import Shim
import Synchronization
import Testing

extension EndToEndTests {
    /// Replicas that change while requests are under way.
    @Suite struct ReplicaChangeTests {
        private static let machines = ["metal-a", "metal-b"]
        private static let each = 2
        private static let replicas = machines.count * each
        private static let deployment = Collection(.servingDeployment, project: "shop")

        private static func command(_ more: [String] = []) throws -> [String] {
            [
                try ChildProgram.executable("basalt-fake-engine").path, "--port", "{port}", "--model",
                "{model}", "--chunk-tokens", "8", "--step-ms", "5", "--step-sequence-ms", "0",
                "--prefill-ms", "1",
            ] + more
        }

        /// A deployment that names no cell, with as many replicas on each machine.
        private static func spec(_ host: HostStatus) throws -> ServingDeploymentSpec {
            let inventory = host.inventory
            let free = (
                cpu: inventory.capacity.milliCPU - inventory.reserved.milliCPU,
                memory: inventory.capacity.memoryMiB - inventory.reserved.memoryMiB
            )
            return ServingDeploymentSpec(
                pool: "serving", model: "tiny",
                shape: ServingModelShape(layers: 2, hidden: 64, heads: 1, feedForward: 128, vocabulary: 1000),
                demand: ServingDemand(requestsPerMinute: 1800, promptTokens: 16, outputTokens: 64),
                maxStages: 1, phases: [.both],
                resourcesPerDevice: Resources(
                    milliCPU: free.cpu / each, memoryMiB: min(256, free.memory / each)),
                port: 20_000 + Int(ProcessInfo.processInfo.processIdentifier) % 20_000,
                run: RunSpec(command: try command()))
        }

        @Test func noRequestIsLostByAFlipANewCommandOrAHostThatGoes() async throws {
            try await Deployment.run(.init(host: 30, cell: 2)) { basalt in
                try await basalt.startController("a")
                try await basalt.makeFleet()
                try await Self.startMachines(basalt)
                try await basalt.createServing("chat", try Self.spec(try await basalt.host(Self.machines[0])))
                let router = try await basalt.startRouter("router", of: "chat")
                try await Self.followed("all replicas are routed to", basalt) {
                    $0.replicas.count == Self.replicas
                }
                try #require(try await basalt.serving("chat").cell == "east")
                try await eventually("requests are answered") {
                    for _ in 0..<(3 * Self.replicas) {
                        guard await RouterProgram.stream(port: router.port, tokens: 8) else { return false }
                    }
                    return true
                }
                try await Self.flip(basalt, router)
                try await Self.renew(basalt, router)
                try await Self.preempt(basalt, router)
            }
        }

        // MARK: Changes

        /// Phases change and change back; every process is the one that it was.
        private static func flip(_ basalt: Deployment, _ router: RouterProgram) async throws {
            let before = try processes(basalt)
            try #require(before.count == replicas)
            let outcome = try await answers(router.port) {
                for (phases, roles) in [
                    (["prefill", "decode"], Set([ServingRoutes.Role.prefill, .decode])), (["both"], [.both]),
                ] {
                    try await patch(
                        basalt, .object(["phases": .array(phases.map { .string($0) })]))
                    try await followed("phases are \(phases)", basalt) {
                        $0.replicas.count == replicas && Set($0.replicas.map(\.role)) == roles
                    }
                    for _ in 0..<(2 * replicas) {
                        try #require(await RouterProgram.stream(port: router.port, tokens: 16))
                    }
                }
            }
            try #require(outcome.failed == 0 && outcome.requests > 0, "\(outcome)\n\(router.program.log)")
            try #require(try processes(basalt) == before)
        }

        /// Another command reaches every replica once its last answer has ended.
        private static func renew(_ basalt: Deployment, _ router: RouterProgram) async throws {
            let before = try processes(basalt)
            let long = try await streams(router.port, tokens: 1200, atLeastOn: 2)
            let outcome = try await answers(router.port) {
                let words = try command(["--speed", "2"]).map { JSONValue.string($0) }
                try await patch(basalt, .object(["run": .object(["command": .array(words)])]))
                try await eventually("a replica waits for its answers") {
                    try await basalt.serving("chat").leaving?.contains {
                        $0.state == .draining && $0.cause == .renewed && $0.underWay ?? 0 > 0
                    } ?? false
                }
                for stream in long { try #require(await stream.isWhole(), "\(stream.replica) was cut") }
                try await eventually("all run the new command") {
                    let now = try processes(basalt)
                    return now.count == replicas && now.isDisjoint(with: before)
                }
                try await followed("all are routed to again", basalt) { $0.replicas.count == replicas }
            }
            try #require(outcome.failed == 0 && outcome.requests > 0, "\(outcome)\n\(router.program.log)")
        }

        /// A machine that will be taken away is left at once, and empty long before.
        private static func preempt(_ basalt: Deployment, _ router: RouterProgram) async throws {
            let plan = try #require(try await basalt.serving("chat").plan)
            let going = Set(plan.groups.filter { $0.hosts == [machines[1]] }.map(\.name))
            try #require(going.count == each)
            let long = try await streams(router.port, tokens: 1600, atLeastOn: replicas)
            let outcome = try await answers(router.port) {
                let told = try await basalt.basalt([
                    "host", "preempt", machines[1], "--reason", "spot", "--in", "30m",
                ])
                try #require(told.status == 0, "\(told.output)")
                try await followed("nobody is sent there", basalt) {
                    $0.replicas.count == each && going.isDisjoint(with: $0.replicas.map(\.name))
                }
                for stream in long { try #require(await stream.isWhole(), "\(stream.replica) was cut") }
                try await eventually("the machine is empty") {
                    let status = try await basalt.serving("chat")
                    return status.parts.allSatisfy { $0.host == machines[0] } && status.leaving == nil
                        && status.plan?.groups.count == each && status.state == .running
                }
            }
            try #require(outcome.failed == 0 && outcome.requests > 0, "\(outcome)\n\(router.program.log)")
            try await eventually("the drain is over") {
                try await basalt.client().operations().items.contains {
                    $0.target == machines[1] && $0.state == .succeeded
                }
            }
        }

        // MARK: Parts

        private static func startMachines(_ basalt: Deployment) async throws {
            let client = try basalt.client()
            _ = try await client.create(
                WireDraft(
                    kind: Kind.pool.rawValue, metadata: .init(name: "serving"),
                    spec: try .encoding(PoolSpec(cell: "east", admits: [.serving]))), in: Collection(.pool))
            for name in machines { try await basalt.startProcessAgent(name, pool: "serving") }
            try await basalt.hostsReady(machines.count)
            for name in machines {
                let machine = try await client.get(name, in: Collection(.host))
                _ = try await client.patch(
                    name, in: Collection(.host),
                    with: .object([
                        "metadata": .object(["labels": .object(["address": .string("127.0.0.1")])])
                    ]), match: .version(of: machine))
            }
        }

        private static func patch(_ basalt: Deployment, _ spec: JSONValue) async throws {
            let client = try basalt.client()
            let held = try await client.get("chat", in: deployment)
            _ = try await client.patch(
                "chat", in: deployment, with: .object(["spec": spec]), match: .version(of: held))
        }

        /// Waits for routes that the router follows.
        private static func followed(
            _ what: String, _ basalt: Deployment, _ holds: (ServingRoutes) -> Bool
        ) async throws {
            try await eventually(what) {
                let status = try await basalt.serving("chat")
                guard let routes = status.routes, holds(routes) else { return false }
                return status.observed?.version == routes.version
            }
        }

        /// Processes of all replicas.
        private static func processes(_ basalt: Deployment) throws -> Set<pid_t> {
            var found: Set<pid_t> = []
            for name in machines {
                guard let agent = basalt.agents[name] else { continue }
                for process in try basalt.processes(of: agent).values where process.command.isAlive {
                    found.insert(process.command.processID)
                }
            }
            return found
        }

        /// Long answers, until so many replicas write one.
        private static func streams(
            _ port: Int, tokens: Int, atLeastOn count: Int
        ) async throws -> [RouterProgram.Stream] {
            var found: [RouterProgram.Stream] = []
            while Set(found.map(\.replica)).count < count {
                try #require(found.count < 16)
                found.append(try await RouterProgram.begin(port: port, tokens: tokens))
            }
            return found
        }

        private struct Outcome {
            var requests = 0
            var failed = 0
        }

        /// What becomes of requests that are sent while something is done.
        private static func answers(
            _ port: Int, while act: () async throws -> Void
        ) async throws -> Outcome {
            let isOver = Flag()
            return try await withThrowingTaskGroup(of: Outcome.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        var outcome = Outcome()
                        while !isOver.isSet {
                            outcome.requests += 1
                            if await !RouterProgram.stream(port: port, tokens: 32) { outcome.failed += 1 }
                        }
                        return outcome
                    }
                }
                defer { isOver.set() }
                try await act()
                isOver.set()
                return try await group.reduce(into: Outcome()) {
                    $0.requests += $1.requests
                    $0.failed += $1.failed
                }
            }
        }

        private final class Flag: Sendable {
            private let value = Atomic(false)
            var isSet: Bool { value.load(ordering: .relaxed) }
            func set() { value.store(true, ordering: .relaxed) }
        }
    }
}
