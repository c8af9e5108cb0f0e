import Fleet
import Foundation
import Testing
import VMPlacement

@testable import LifetimeTraining

/// VMs whose lifetimes are decided by project and size, up to a factor of three either way.
func syntheticVMs(_ count: Int, seed: UInt64) -> [TrainingVM] {
    var random = SplitMix64(seed: seed)
    return (0..<count).map { number in
        let project = Int(random.next() % 6)
        let vCPU = 1 << Int(random.next() % 4)
        let exponent = 2 + Double(project) * 0.7 + (vCPU > 2 ? 0.5 : 0) + (random.unit() - 0.5)
        let features = VMFeatures(
            resources: Resources(milliCPU: vCPU * 1000, memoryMiB: 4096), project: "p\(project)",
            attributes: ["gpu": project > 3 ? "1" : "0"])
        return TrainingVM(
            LifetimeObservation(features: features, seconds: pow(10, exponent), hasEnded: true),
            startedAt: Double(number) * 60)
    }
}

@Suite struct TrainerTests {
    private func settings(seed: UInt64 = 1) -> TrainingSettings {
        TrainingSettings(features: ["project", "gpu"], seed: seed, trees: 40, leastExamples: 20, uptimes: 2)
    }

    @Test func aModelLearnsWhatDecidesLifetimes() async throws {
        let vms = syntheticVMs(1500, seed: 3)
        let file = try await LifetimeTrainer(settings: settings()).train(vms, until: 80_000)
        #expect(file.featureNames == ["uptime", "vcpu", "memory", "memoryPerVCPU", "project", "gpu"])
        #expect(file.training.vms == 1334 && file.training.censored > 0)
        #expect(file.metrics.validationError < 0.55 && file.metrics.trees > 5)
        let later = vms.filter { $0.startedAt >= 80_000 }
        let cap = Duration.seconds(7 * 86_400)
        let judged = LifetimeJudgement(later, by: LifetimePredictor(try file.model, cap: cap))
        let blind = StratifiedModel.kaplanMeier(
            vms.compactMap { $0.seen(at: 80_000) }.map(\.observation), levels: [], shape: .steps)
        let other = LifetimeJudgement(later, by: LifetimePredictor(blind, cap: cap))
        #expect(try #require(judged.cIndex) > 0.85 && other.cIndex == 0.5)
        #expect(try #require(judged.classAccuracy) > #require(other.classAccuracy) + 0.2)
    }

    /// Half of them live a minute and a half, half for a day, and nothing but the uptime tells which.
    @Test func theUptimeTellsThoseThatStay() async throws {
        let vms = syntheticVMs(1200, seed: 3).enumerated().map { index, vm in
            var vm = vm
            vm.observation.seconds = index % 2 == 0 ? 90 : 86_400
            return vm
        }
        let model = try await LifetimeTrainer(settings: settings()).train(vms, until: 1e9).model
        let features = try #require(vms.first?.observation.features)
        let young = model.expectedRemaining(uptime: 0, of: features)
        let old = model.expectedRemaining(uptime: 3600, of: features)
        #expect(abs(young - 43_245) < 15_000 && old > 65_000, "\(young), \(old)")
    }

    @Test func oneSeedGivesTheSameBytesAndAnotherDoesNot() async throws {
        let vms = syntheticVMs(600, seed: 9)
        func bytes(_ seed: UInt64) async throws -> Data {
            try await LifetimeTrainer(settings: settings(seed: seed)).train(vms, until: 1e9).data()
        }
        let four = try await bytes(4)
        #expect(try await bytes(4) == four)
        #expect(try await bytes(5) != four)
    }

    @Test func theOrderOfTheRowsDoesNotMatterBeyondTies() async throws {
        let vms = syntheticVMs(600, seed: 9)
        let trainer = LifetimeTrainer(settings: settings())
        let data = try await trainer.train(vms, until: 1e9).data()
        #expect(try await trainer.train(vms.reversed(), until: 1e9).data() == data)
    }

    @Test func whatHappensAfterTheEndOfTheTrainingDoesNotLeakIn() async throws {
        let vms = syntheticVMs(1000, seed: 2)
        var changed = vms
        for index in changed.indices {
            let vm = changed[index]
            if vm.startedAt + vm.observation.seconds > 40_000 {
                changed[index].observation.seconds = max(40_000 - vm.startedAt, 1) + 1
            }
        }
        let trainer = LifetimeTrainer(settings: settings())
        let data = try await trainer.train(vms, until: 40_000).data()
        #expect(try await trainer.train(changed, until: 40_000).data() == data)
    }

    @Test func tooLittleToLearnFromIsRefused() async {
        let trainer = LifetimeTrainer(settings: settings())
        await #expect(throws: TrainingError.tooFewEnds(0, least: 200)) {
            try await trainer.train([], until: 10)
        }
        let few = Array(syntheticVMs(100, seed: 1))
        await #expect(throws: TrainingError.tooFewEnds(100, least: 200)) {
            try await trainer.train(few, until: 1e9)
        }
        let unknown = LifetimeTrainer(settings: TrainingSettings(features: ["colour"]))
        await #expect(throws: TrainingError.unknownFeature("colour")) {
            try await unknown.train(syntheticVMs(300, seed: 1), until: 1e9)
        }
    }

    @Test func constantLifetimesGiveThatLifetime() async throws {
        let vms = syntheticVMs(400, seed: 1).map { vm in
            var vm = vm
            vm.observation.seconds = 600
            return vm
        }
        var settings = settings()
        settings.uptimes = 0
        let model = try await LifetimeTrainer(settings: settings).train(vms, until: 1e9).model
        let features = try #require(vms.first?.observation.features)
        #expect(abs(model.expectedRemaining(uptime: 0, of: features) - 600) < 6)
    }
}

@Suite struct ExampleTests {
    private func vm(_ seconds: Double, ended: Bool, project: String = "p") -> TrainingVM {
        TrainingVM(
            LifetimeObservation(
                features: VMFeatures(resources: Resources(milliCPU: 1000, memoryMiB: 1024), project: project),
                seconds: seconds, hasEnded: ended), startedAt: 0)
    }

    @Test func oneThatStillRunsIsGivenWhatOthersHadLeft() throws {
        let vms =
            (0..<60).map { _ in vm(100, ended: true) } + (0..<60).map { _ in vm(300, ended: true) }
            + [vm(200, ended: false)]
        let labelled = LabelledVM.label(vms, capSeconds: 604_800)
        let last = try #require(labelled.last)
        #expect(last.seen == 200 && abs(last.lifetime - 300) < 1e-6)
    }

    @Test func anEncodedTextDoesNotKnowItsOwnLifetime() {
        let means = CategoryMeans(texts: ["a", "a", nil, "b"], targets: [4, 4, 1, 3])
        #expect(means.ordered == [3, Float((4 + 60.0) / 21), 3, 3] && means.otherwise == 3)
        #expect(means.values == ["a": Float(68.0 / 22), "b": Float(63.0 / 21)])
    }

    @Test func aVMWeighsOneWhateverItsRows() {
        let settings = TrainingSettings(uptimes: 5)
        let encoder = FeatureEncoder([ModelFeature(name: "uptime", kind: .number)])
        let labelled = LabelledVM.label([vm(30, ended: true), vm(5000, ended: true)], capSeconds: 604_800)
        let table = ExampleTable(labelled, encoder: encoder, ordered: [nil], settings: settings)
        #expect(table.count == 7 && table.vms == [0, 1, 1, 1, 1, 1, 1])
        #expect(abs(table.weights.reduce(0, +) - 2) < 1e-5)
        // What is left after an uptime and the uptime make the lifetime.
        for row in 1..<7 {
            let uptime = exp(Double(table.columns[0][row])) - 1
            #expect(abs(uptime + pow(10, Double(table.targets[row])) - 5000) < 2)
        }
    }

    @Test func binsKeepNeighboursApartAndMissingValuesLeft() {
        let table = BinnedTable([[1, 2, 2, 3, .nan], [7, 7, 7, 7, 7]])
        #expect(table.thresholds == [[1.5, 2.5], []])
        #expect(table.bins == [[0, 1, 1, 2, 0], [0, 0, 0, 0, 0]])
        let many = BinnedTable([(0..<10_000).map(Float.init)])
        #expect(many.thresholds[0].count <= 254 && many.thresholds[0].count > 200)
        #expect(zip(many.thresholds[0], many.thresholds[0].dropFirst()).allSatisfy(<))
    }
}
