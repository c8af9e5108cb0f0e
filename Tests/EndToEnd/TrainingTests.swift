import APITypes
import Client
import Fleet
import Foundation
import NodeAgent
import Shim
import Testing

extension EndToEndTests {
    /// Training jobs whose ranks are real processes with real checkpoints.
    @Suite struct TrainingTests {
        /// Twice as fast on twice as many hosts, a device of each; far more steps than a test takes.
        private static func job(_ directory: String, steps: Int = 1_000_000) throws -> TrainingJobSpec {
            TrainingJobSpec(
                cell: "east", pool: "train",
                profile: [
                    TrainingProfilePoint(placement: [1, 1], plan: "ga", secondsPerStep: 0.1),
                    TrainingProfilePoint(placement: [1, 1, 1, 1], plan: "zero-dp", secondsPerStep: 0.05),
                ],
                globalBatch: 64, steps: steps, devices: 2, hosts: 2, memoryMiBPerDevice: 1024,
                class: .guaranteed,
                run: RunSpec(command: [try ChildProgram.executable("basalt-trainer").path]),
                checkpoint: CheckpointSpec(directory: directory, signal: .user1, graceSeconds: 20))
        }

        @Test func aJobIsReshapedTwiceAndOutlivesControllerAgentAndHost() async throws {
            try await Deployment.run(.init(host: 12, cell: 2)) { basalt in
                let first = try await basalt.startController("a")
                try await basalt.makeTrainingFleet()
                for name in ["m1", "m2"] { try await basalt.startProcessAgent(name, pool: "train") }
                try await basalt.hostsReady(2)
                let directory = basalt.dataDirectory.deletingLastPathComponent().appending(path: "kept").path
                try await basalt.createJob("big", try Self.job(directory))
                try await basalt.job("big", "runs on two hosts") {
                    $0.state == .running && $0.parts.count == 2 && $0.stepsDone >= 5
                }

                // More hosts: it is told to keep its state, ends, and goes on from there on all of them.
                for name in ["m3", "m4"] { try await basalt.startProcessAgent(name, pool: "train") }
                let wide = try await basalt.job("big", "runs on four hosts") {
                    $0.state == .running && $0.parts.count == 4 && $0.reconfigurations == 1
                        && $0.stepsDone > $0.checkpointStep
                }
                try #require(wide.checkpointStep >= 5 && wide.restarts == 0 && wide.shape?.plan == "zero-dp")
                var runs = try Kept.read(directory).runs
                try #require(runs.map(\.worldSize) == [2, 4] && runs.map(\.plan) == ["ga", "zero-dp"])
                try #require(runs[1].from >= 5)

                // Neither end is noticed by what runs.
                let parts = wide.parts.map(\.allocation)
                try await first.program.end()
                try await basalt.agents["m1"]?.program.end()
                try await basalt.startController("a")
                try await basalt.startProcessAgent("m1", pool: "train")
                let later = try await basalt.job("big", "goes on") {
                    $0.state == .running && $0.stepsDone > wide.stepsDone + 20
                }
                try #require(later.parts.map(\.allocation) == parts && later.restarts == 0)

                // A drain takes a host away: back to two of the others, in order again.
                _ = try await basalt.client().drain(host: "m4", reason: "fan")
                let narrow = try await basalt.job("big", "runs on two hosts again") {
                    $0.state == .running && $0.parts.count == 2 && $0.reconfigurations == 2
                        && $0.stepsDone > $0.checkpointStep
                }
                try #require(narrow.checkpointStep >= later.stepsDone && narrow.restarts == 0)
                try #require(!narrow.parts.contains { $0.host == "m4" })
                runs = try Kept.read(directory).runs
                try #require(runs.map(\.worldSize) == [2, 4, 2])
                try #require(runs[2].from >= later.stepsDone)

                // A lost host: its rank ends by its deadline, the other is asked to, and both go on elsewhere.
                let lost = try #require(narrow.parts.compactMap(\.host).last)
                try await basalt.agents[lost]?.program.end()
                let back = try await basalt.job("big", "goes on from its checkpoint", within: .seconds(120)) {
                    $0.state == .running && $0.restarts == 1 && !$0.parts.contains { $0.host == lost }
                }
                try #require(back.parts.count == 2)
                runs = try Kept.read(directory).runs
                try #require(runs.count == 4 && runs[3].from >= runs[2].from)
                try #require(try Kept.read(directory).globalBatch == 64)

                // Jobs end by themselves, too.
                _ = try await basalt.client().delete("big", in: Collection(.trainingJob, project: "shop"))
                try await eventually("it is gone") {
                    try await basalt.jobStatus("big") == nil
                }
                try await basalt.createJob("short", try Self.job(directory + "-short", steps: 3))
                let done = try await basalt.job("short", "is done") { $0.state == .succeeded }
                try #require(done.stepsDone == 3 && done.parts.isEmpty && done.failures == 0)
                try await basalt.startProcessAgent(lost, pool: "train")
                try await basalt.host(lost, is: .ready)
                try await basalt.verify(
                    live: 0, starts: try basalt.journal().count { $0.event == .start })
            }
        }
    }
}

/// What the trainer keeps.
private struct Kept: Decodable {
    struct Run: Decodable {
        var from: Int
        var plan: String
        var worldSize: Int
    }

    var step: Int
    var globalBatch: Int
    var runs: [Run]

    static func read(_ directory: String) throws -> Kept {
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(directory)/checkpoint.json"))
        return try JSONDecoder().decode(Kept.self, from: data)
    }
}

extension Deployment {
    /// As `makeFleet`, and a pool `train` in which shapes change at once.
    func makeTrainingFleet(restartSeconds: Int = 1) async throws {
        try await makeFleet()
        let pool = PoolSpec(
            cell: "east", admits: [.training],
            training: TrainingRules(gatePerMille: 0, restartSeconds: restartSeconds))
        _ = try await client().create(
            WireDraft(kind: Kind.pool.rawValue, metadata: .init(name: "train"), spec: try .encoding(pool)),
            in: Collection(.pool))
    }

    func createJob(_ name: String, _ spec: TrainingJobSpec) async throws {
        let draft = WireDraft(
            kind: Kind.trainingJob.rawValue, metadata: .init(name: name), spec: try .encoding(spec))
        _ = try await client().create(draft, in: Collection(.trainingJob, project: "shop"))
    }

    /// Nil when there is no such job.
    func jobStatus(_ name: String) async throws -> TrainingJobStatus? { try await jobStatuses()[name] }

    func jobStatuses() async throws -> [String: TrainingJobStatus] {
        let listing = try await client().list(Collection(.trainingJob, project: "shop"), .init())
        return try listing.items.reduce(into: [:]) { found, document in
            let status: TrainingJobStatus? = try document.status?.decoded()
            found[document.metadata.name] = status ?? TrainingJobStatus()
        }
    }

    @discardableResult
    func job(
        _ name: String, _ what: String, within limit: Duration = .seconds(120),
        _ holds: (TrainingJobStatus) -> Bool
    ) async throws -> TrainingJobStatus {
        var last: TrainingJobStatus?
        do {
            return try await eventually("job \(name) \(what)", within: limit) {
                last = try await self.jobStatus(name)
                return last.flatMap { holds($0) ? $0 : nil }
            }
        } catch let error as TimedOut {
            throw TimedOut(description: "\(error.description); it is \(String(describing: last))")
        }
    }
}
