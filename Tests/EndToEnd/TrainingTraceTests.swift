import APITypes
import Client
import Fleet
import Foundation
import NodeAgent
import Testing

extension EndToEndTests {
    /// Jobs of a published trace on simulated hosts, whose ranks keep the pace of what was measured.
    @Suite struct TrainingTraceTests {
        private static let hosts = 8
        private static let jobs = 40

        @Test func jobsOfATraceAllEndThoughControllerAndAgentAreKilled() async throws {
            try await Deployment.run { basalt in
                let controller = try await basalt.startController("a")
                try await basalt.makeTrainingFleet(restartSeconds: 78)
                let flags = ["--gpus", "a800=8", "--shape", "96x1600", "--training-speed", "1200"]
                let agent = try await basalt.startAgent("gpu", hosts: Self.hosts, pool: "train", flags)
                try await basalt.hostsReady(Self.hosts)
                let specs = try TrainingTrace.read(Self.jobs)
                try #require(specs.count == Self.jobs)
                for (name, spec) in specs { try await basalt.createJob(name, spec) }

                try await basalt.jobsEnd(specs, atLeast: 8)
                // What waits knows what for, and what more hosts would change is told beforehand.
                let plan = try await basalt.basalt([
                    "plan", "training", "--pool", "train", "--hosts", "8", "-o", "json",
                ])
                try #require(plan.status == 0, "\(plan.output)")
                let preview = try JSONDecoder().decode(TrainingPreview.self, from: Data(plan.output.utf8))
                // But for jobs that are between two shapes at this moment.
                try #require(preview.policy == "rubick" && preview.jobs.contains { $0.then != nil })
                try await controller.program.end()
                try await basalt.startController("a")
                try await basalt.jobsEnd(specs, atLeast: 16)
                try await agent.program.end()
                try await basalt.startAgent("gpu", hosts: Self.hosts, pool: "train", flags)
                let ended = try await basalt.jobsEnd(specs, atLeast: Self.jobs)

                // Every step of each, by the ranks' own word, and nobody failed.
                for (name, spec) in specs {
                    let status = try #require(ended[name])
                    try #require(status.stepsDone == spec.steps && status.failures == 0, "\(name): \(status)")
                }
                let drawing = try await basalt.basalt(["plan", "training", "--pool", "train", "-o", "svg"])
                try #require(drawing.status == 0 && drawing.output.contains("GPUs of each job over time"))
                try #require(drawing.output.components(separatedBy: "<rect").count > Self.jobs)
                let why = try await basalt.basalt(["why", "trainingjob", specs[0].name, "-p", "shop"])
                try #require(why.status == 0 && why.output.contains("Succeeded"), "\(why.output)")
                try await basalt.verify(
                    live: 0, starts: try basalt.journal().count { $0.event == .start })
            }
        }
    }
}

/// The first jobs of the published trace, with all that was measured of their models.
private enum TrainingTrace {
    private static let traces = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Benchmarks/traces")

    private static func rows(_ file: String) throws -> [[String: String]] {
        let lines = try String(contentsOf: traces.appending(path: file), encoding: .utf8)
            .split(whereSeparator: \.isNewline)
            .map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
        let header = try #require(lines.first)
        return lines.dropFirst().map { Dictionary(zip(header, $0), uniquingKeysWith: { first, _ in first }) }
    }

    static func read(_ count: Int) throws -> [(name: String, spec: TrainingJobSpec)] {
        var profiles: [String: [TrainingProfilePoint]] = [:]
        for row in try rows("training-steps.csv") {
            guard let model = row["model"], let plan = row["exec_plan"], let digits = row["placement"],
                let seconds = row["iter_time_s"].flatMap(Double.init), seconds > 0
            else { continue }
            profiles[model, default: []].append(
                TrainingProfilePoint(
                    placement: digits.compactMap(\.wholeNumberValue), plan: plan, secondsPerStep: seconds,
                    cpusPerDevice: plan.hasPrefix("zero-offload") ? 8 : 1))
        }
        var found: [(name: String, spec: TrainingJobSpec)] = []
        for row in try rows("training-jobs.csv") where found.count < count {
            guard let name = row["name"], let model = row["application"],
                let devices = row["num_gpus"].flatMap(Int.init), let steps = row["steps"].flatMap(Int.init),
                let profile = profiles[model],
                profile.contains(where: { $0.placement.reduce(0, +) == devices })
            else { continue }
            var spec = TrainingJobSpec(
                pool: "train", profile: profile, steps: steps, devices: devices,
                deviceModel: "a800", class: found.count.isMultiple(of: 4) ? .guaranteed : .bestEffort,
                run: RunSpec(command: ["train", model]))
            let plan = row["exec_plan"]
            if profile.contains(where: { $0.plan == plan && spec.matches($0) }) { spec.plan = plan }
            found.append((name, spec))
        }
        return found
    }
}

extension Deployment {
    /// Waits until so many jobs have all steps done.
    @discardableResult
    fileprivate func jobsEnd(
        _ specs: [(name: String, spec: TrainingJobSpec)], atLeast count: Int
    ) async throws -> [String: TrainingJobStatus] {
        try await eventually("\(count) of \(specs.count) jobs are done", within: .seconds(180)) {
            let found = try await self.jobStatuses()
            let states = Dictionary(grouping: found, by: \.value.state).mapValues(\.count)
            guard states[.succeeded] ?? 0 >= count else {
                let others = found.filter { !$0.value.state.isOver }.sorted { $0.key < $1.key }.prefix(5)
                    .map { name, status in
                        "\(name) \(status.state) \(status.stepsDone) \(status.wait?.message ?? "")"
                    }
                throw TimedOut(description: "\(states); \(others)")
            }
            return found
        }
    }
}
