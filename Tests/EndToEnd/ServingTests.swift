import APITypes
import Client
import Fleet
import Foundation
import Shim
import Testing

extension EndToEndTests {
    /// Real engines behind a real router.
    @Suite struct ServingTests {
        private static let replicas = 4
        private static let tokens = 64

        /// A host for so many replicas: each gets its part of what the machine has.
        private static func spec(_ host: HostStatus) throws -> ServingDeploymentSpec {
            let inventory = host.inventory
            let free = (
                cpu: inventory.capacity.milliCPU - inventory.reserved.milliCPU,
                memory: inventory.capacity.memoryMiB - inventory.reserved.memoryMiB
            )
            return ServingDeploymentSpec(
                cell: "east", pool: "serving", model: "tiny",
                shape: ServingModelShape(layers: 2, hidden: 64, heads: 1, feedForward: 128, vocabulary: 1000),
                demand: ServingDemand(requestsPerMinute: 1800, promptTokens: 16, outputTokens: tokens),
                maxStages: 1,
                resourcesPerDevice: Resources(
                    milliCPU: free.cpu / replicas, memoryMiB: min(256, free.memory / replicas)),
                port: 20_000 + Int(ProcessInfo.processInfo.processIdentifier) % 20_000,
                run: RunSpec(command: [
                    try ChildProgram.executable("basalt-fake-engine").path, "--port", "{port}", "--model",
                    "{model}", "--chunk-tokens", "8", "--step-ms", "1", "--step-sequence-ms", "0",
                    "--prefill-ms", "1",
                ]))
        }

        @Test func aLostReplicaCostsItsOwnRequestsAtMost() async throws {
            try await Deployment.run(.init(host: 12, cell: 2)) { basalt in
                try await basalt.startController("a")
                try await basalt.makeFleet()
                let client = try basalt.client()
                _ = try await client.create(
                    WireDraft(
                        kind: Kind.pool.rawValue, metadata: .init(name: "serving"),
                        spec: try .encoding(PoolSpec(cell: "east", admits: [.serving]))),
                    in: Collection(.pool))
                let agent = try await basalt.startProcessAgent("metal", pool: "serving")
                try await basalt.hostsReady(1)
                let machine = try await client.get("metal", in: Collection(.host))
                _ = try await client.patch(
                    "metal", in: Collection(.host),
                    with: .object([
                        "metadata": .object(["labels": .object(["address": .string("127.0.0.1")])])
                    ]), match: .version(of: machine))
                try await basalt.createServing("chat", try Self.spec(try await basalt.host("metal")))
                let router = try await basalt.startRouter("router", of: "chat")
                let before: ServingRoutes = try await eventually("all replicas are routed to") {
                    try await basalt.serving("chat").routes.flatMap {
                        $0.replicas.count == Self.replicas ? $0 : nil
                    }
                }
                try #require(before.pairs.count == Self.replicas)
                try await eventually("requests are answered") {
                    for _ in 0..<(3 * Self.replicas) {
                        guard await RouterProgram.stream(port: router.port, tokens: 8) else { return false }
                    }
                    return true
                }

                let victim = try #require(try basalt.processes(of: agent).values.first)
                let outcome = try await Self.load(router.port, killing: victim.command.processID)
                // Whoever came after the loss was served: by another replica, at the second try at most.
                try #require(outcome.failedAfter == 0, "\(outcome)\n\(router.program.log)")
                // Only answers that the lost replica was writing are cut.
                try #require(outcome.failedBefore <= Self.load(of: outcome), "\(outcome)")

                try await eventually("routes changed") {
                    try await basalt.events(.rerouted).contains { $0.message.contains("version") }
                }
                let after: ServingRoutes = try await eventually("the replica is replaced") {
                    let status = try await basalt.serving("chat")
                    guard let routes = status.routes, routes.version > before.version + 1,
                        routes.replicas.count == Self.replicas, status.state == .running
                    else { return nil }
                    return routes
                }
                try #require(after.replicas.map(\.name) == before.replicas.map(\.name))
                let processes = try basalt.processes(of: agent).values.filter(\.command.isAlive)
                try #require(processes.count == Self.replicas)
                try await eventually("all of them answer") {
                    for _ in 0..<(3 * Self.replicas) {
                        guard await RouterProgram.stream(port: router.port, tokens: 8) else { return false }
                    }
                    return true
                }
                // Without a controller the router goes on, also when it is started anew.
                try await basalt.controllers["a"]?.program.end()
                try #require(await RouterProgram.stream(port: router.port, tokens: 8))
                try await router.program.end()
                let again = try await basalt.startRouter("another", of: "chat")
                try await eventually("the last routes are remembered") {
                    await RouterProgram.stream(port: again.port, tokens: 8)
                }
            }
        }

        private struct Outcome: CustomStringConvertible {
            var requests = 0
            /// Of requests that began before the loss.
            var failedBefore = 0
            var failedAfter = 0
            var longest = Duration.zero

            var description: String {
                "\(failedBefore) and \(failedAfter) of \(requests) failed; the longest took \(longest)"
            }
        }

        private static let perSecond = 30

        /// Answers that one replica writes at once, at most.
        private static func load(of outcome: Outcome) -> Int {
            1 + Int((outcome.longest / .seconds(1)) * Double(perSecond)) / replicas + replicas
        }

        /// An open loop; half-way one engine is killed.
        private static func load(_ port: Int, killing victim: pid_t) async throws -> Outcome {
            let count = 360
            let loss = count / 2
            let start = ContinuousClock.now
            return try await withThrowingTaskGroup(of: (Int, Bool, Duration).self) { group in
                for number in 0..<count {
                    try await Task.sleep(
                        until: start + .milliseconds(1000 / perSecond) * number, clock: .continuous)
                    if number == loss { kill(victim, SIGKILL) }
                    group.addTask {
                        let began = ContinuousClock.now
                        let isWhole = await RouterProgram.stream(port: port, tokens: tokens)
                        return (number, isWhole, ContinuousClock.now - began)
                    }
                }
                var outcome = Outcome()
                for try await (number, isWhole, took) in group {
                    outcome.requests += 1
                    outcome.longest = max(outcome.longest, took)
                    // A killed process may still take what comes in the same moment.
                    if !isWhole, number < loss + perSecond / 5 { outcome.failedBefore += 1 }
                    if !isWhole, number >= loss + perSecond / 5 { outcome.failedAfter += 1 }
                }
                return outcome
            }
        }
    }
}
