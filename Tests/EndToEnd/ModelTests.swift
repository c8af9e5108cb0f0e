import APITypes
import Client
import Fleet
import Foundation
import Testing

extension EndToEndTests {
    /// Models of lifetimes from the fleet's own VMs, with real processes.
    @Suite struct ModelTests {
        /// Fleet seconds per second: an hour passes in one.
        private static let rate = "3600"
        private static let waves = 8
        /// VMs of each of the two applications in one wave.
        private static let wave = 26
        private static var vms: Int { 2 * waves * wave }

        @Test func aFleetLearnsFromItsOwnVMs() async throws {
            try await Deployment.run { basalt in
                let controller = try await basalt.startController("a", ["--fleet-rate", Self.rate])
                try await basalt.makeFleet()
                try await basalt.startAgent("sim", hosts: 6)
                try await basalt.hostsReady(6)
                try await Self.said(
                    basalt, ["policy", "set", "learning", "--score", "lava", "--predictor", "gbdt"])
                try await Self.attach("learning", basalt)
                try await Self.predictor(basalt) { $0.form == .km && $0.reason == .modelMissing }

                try await Self.live(basalt)
                let trace = basalt.directory.appending(path: "own.csv").path
                try await Self.said(
                    basalt, ["trace", "export", "--pool", "vms", "--last", "30d", "--out", trace])
                try await Self.promotes(basalt, trace)
                try await Self.replays(basalt)

                try await controller.program.end()
                try await basalt.startController("a", ["--fleet-rate", Self.rate])
                try await basalt.holder(of: "east", is: "a", within: .seconds(30))
                try await Self.goesBy("good", basalt)
                try await Self.retrains(basalt)
            }
        }

        /// Runs the CLI, which must succeed.
        @discardableResult
        private static func said(_ basalt: Deployment, _ arguments: [String]) async throws -> String {
            let (status, output) = try await basalt.basalt(arguments)
            try #require(status == 0, "\(arguments): \(output)")
            return output
        }

        private static func attach(_ policy: String, _ basalt: Deployment) async throws {
            let client = try basalt.client()
            let pool = try await client.get("vms", in: Collection(.pool))
            let patch = JSONValue.object([
                "spec": .object(["policies": .object(["placement": .string(policy)])])
            ])
            _ = try await client.patch("vms", in: Collection(.pool), with: patch, match: .version(of: pool))
        }

        /// Waits until the pool's status says what it goes by.
        private static func predictor(
            _ basalt: Deployment, _ isRight: (PredictorInUse) -> Bool
        ) async throws {
            try await eventually("the pool goes by what it should", within: .seconds(60)) {
                let pool = try await basalt.client().get("vms", in: Collection(.pool))
                let status: PoolStatus = try (pool.status ?? .object([:])).decoded()
                guard let inUse = status.predictor, isRight(inUse) else {
                    throw TimedOut(description: "\(status)")
                }
                return true
            }
        }

        private static func goesBy(_ model: String, _ basalt: Deployment) async throws {
            try await predictor(basalt) { $0.form == .gbdt && $0.model == model }
            try await basalt.createVM("asked", Deployment.spec { $0.pool = "vms" })
            try await basalt.vm("asked", is: .running)
            let why = try await basalt.client().why(vm: "asked", project: "shop")
            try #require(why.explanation?.predictor?.model == model, "\(why)")
            let keys = why.explanation?.candidates.map(\.key) ?? []
            try #require(
                keys.count == 6 && keys.allSatisfy { $0.contains { $0.hasPrefix("lava=") } }, "\(keys)")
            let told = try await said(basalt, ["why", "vm", "asked", "-p", "shop"])
            try #require(told.contains("lifetimes by gbdt model \(model)"), "\(told)")
            try await basalt.deleteVM("asked")
            try await basalt.vmIsGone("asked")
        }

        /// VMs of two applications, of which one lives hours and the other a day.
        private static func live(_ basalt: Deployment) async throws {
            let client = try basalt.client(retry: .persistent)
            let collection = Collection(.vm, project: "shop")
            func create(_ app: String, _ numbers: Range<Int>) async throws {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in numbers {
                        if number - numbers.lowerBound >= 8 { try await group.next() }
                        group.addTask {
                            var draft = try Deployment.draft(
                                "\(app)-\(number)",
                                Deployment.spec(milliCPU: 100, memoryMiB: 64) { $0.pool = "vms" })
                            draft.metadata.labels = ["app": app]
                            _ = try await client.create(draft, in: collection)
                        }
                    }
                    try await group.waitForAll()
                }
            }
            func end(_ app: String, _ numbers: Range<Int>) async throws {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in numbers {
                        if number - numbers.lowerBound >= 8 { try await group.next() }
                        group.addTask { _ = try await client.delete("\(app)-\(number)", in: collection) }
                    }
                    try await group.waitForAll()
                }
            }
            for start in stride(from: 0, to: waves * wave, by: wave) {
                let numbers = start..<start + wave
                try await create("web", numbers)
                try await create("batch", numbers)
                try await basalt.allRun(start == 0 ? 2 * wave : 3 * wave)
                try await end("batch", numbers)
                if start > 0 { try await end("web", start - wave..<start) }
                try await basalt.allRun(wave)
            }
            try await end("web", (waves - 1) * wave..<waves * wave)
            try await basalt.allRun(0)
        }

        /// A model of the exported trace comes to be what the pool goes by; worse and damaged ones do not.
        private static func promotes(_ basalt: Deployment, _ trace: String) async throws {
            let good = basalt.directory.appending(path: "good.json")
            let bad = basalt.directory.appending(path: "bad.json")
            for (file, trees) in [(good, "60"), (bad, "1")] {
                try await said(
                    basalt,
                    [
                        "model", "train", "--trace", trace, "--features", "app", "--trees", trees, "--out",
                        file.path,
                    ])
                try await said(basalt, ["model", "push", file.path])
            }
            let text = try String(contentsOf: good, encoding: .utf8)
            try Data(text.replacing("\"base\":", with: "\"base\":1").utf8).write(to: bad)
            let damaged = try await basalt.basalt(["model", "push", bad.path, "--name", "damaged"])
            try #require(damaged.status == 1 && damaged.output.contains("spec.file.checksum"), "\(damaged)")
            try await said(basalt, ["model", "promote", "good", "--pool", "vms"])
            try await goesBy("good", basalt)
            let worse = try await basalt.basalt(["model", "promote", "bad", "--pool", "vms"])
            try #require(worse.status == 5 && worse.output.contains("on the same data"), "\(worse)")
            try await said(basalt, ["model", "promote", "bad", "--pool", "vms", "--force"])
            try await predictor(basalt) { $0.model == "bad" }
            let used = try await basalt.basalt(["model", "delete", "bad"])
            try #require(used.status == 5, "\(used)")
            try await said(basalt, ["model", "rollback", "bad", "--pool", "vms"])
            try await predictor(basalt) { $0.model == "good" }
            let pulled = basalt.directory.appending(path: "pulled.json")
            try await said(basalt, ["model", "pull", "good", "--out", pulled.path])
            try #require(try String(contentsOf: pulled, encoding: .utf8) == text)
            let list = try await said(basalt, ["model", "list"])
            try #require(list.contains("promoted") && list.contains("pool vms"), "\(list)")
        }

        /// Policies are tried on the fleet's own VMs, beside what really happened.
        private static func replays(_ basalt: Deployment) async throws {
            let output = try await said(
                basalt,
                [
                    "simulate", "vms", "--from-history", "--last", "20d", "--policies", "best-fit,lava",
                    "--predictor", "gbdt:" + basalt.directory.appending(path: "good.json").path, "-o", "json",
                ])
            let rows = try JSONDecoder().decode([JSONValue].self, from: Data(output.utf8))
            try #require(rows.map { $0["policy"]?.string } == ["actual", "best-fit", "lava"], "\(output)")
            let placed = rows.compactMap { $0["placed"]?.integer }
            try #require(placed.allSatisfy { $0 >= vms } && rows[1]["failed"]?.integer == 0, "\(output)")
        }

        /// The controller makes a model of its own, and promotes it or says why not.
        private static func retrains(_ basalt: Deployment) async throws {
            try await said(basalt, ["policy", "set", "learning", "--score", "lava", "--retrain-every", "2"])
            try await eventually("a model is made", within: .seconds(90)) {
                try await !basalt.events(.modelTrained).isEmpty
            }
            let made = try #require(try await basalt.events(.modelTrained).first)
            try await eventually("it is promoted or not", within: .seconds(60)) {
                let promoted = try await basalt.events(.modelPromoted).contains { $0.name == made.name }
                let refused = try await basalt.events(.modelNotBetter).contains {
                    $0.message.contains(made.name)
                }
                return promoted || refused
            }
            // Models come again and again; the oldest go.
            try await eventually("old models are forgotten", within: .seconds(120)) {
                let models = try await basalt.client().listAll(Collection(.model)).items
                let own = models.filter { $0.spec["origin"] != nil }
                return own.count >= 2 && !own.contains { $0.metadata.name == made.name }
            }
        }
    }
}
