import Fleet
import Foundation
import LifetimeTraining
import Store
import Testing
import VMPlacement

@testable import Control

/// What pools go by, as policies, promotions and models have it.
@Suite struct PredictorTests {
    fileprivate static let now = Timestamp(seconds: 1_700_000_000)
    fileprivate static let ids = CountedIDs()

    fileprivate static func resource(
        _ kind: Kind, _ name: String, _ spec: some Encodable, status: String = "{}"
    ) throws -> Resource {
        Resource(
            kind: kind, metadata: Metadata(name: name, uid: ids.id(), createdAt: now),
            spec: try DocumentJSON.encode(spec), status: status)
    }

    fileprivate static func file(hours: Double) throws -> LifetimeModelFile {
        LifetimeModelFile(
            BoostedLifetimeModel(
                encoder: FeatureEncoder([ModelFeature(name: "vcpu", kind: .number)]),
                trees: TreeEnsemble(base: Float(log10(hours * 3600)), featureCount: 1), calibration: .none),
            training: .init(from: 0, until: 1, vms: 1, censored: 0, examples: 1, seed: 0, dataHash: "00"),
            metrics: .init(trees: 0, trainingError: 0, validationError: 0), capSeconds: 604_800)
    }

    /// A cell `a` whose pool `p` goes by lifetimes.
    private final class Cell {
        var model = CellModel(name: "a")
        var trust: [String: ModelTrust] = [:]

        init(_ rules: PlacementRules?) throws {
            var pool = PoolSpec(cell: "a", admits: [.vm], placement: .lava)
            if let rules {
                pool.placement = nil
                pool.policies = PoolPolicies(placement: "it")
                let policy = PolicySpec(type: .placement, placement: rules)
                model.policies["it"] = PolicyRecord(try resource(.policy, "it", policy))
            }
            model.put(pool: "p", pool)
        }

        func keep(
            _ name: String, hours: Double, for scope: ModelScope? = nil, since: Timestamp = now,
            text: String? = nil
        ) throws {
            let file = try PredictorTests.file(hours: hours)
            var status = ModelStatus()
            if let scope {
                status = ModelStatus(
                    state: .promoted, promotions: [.init(scope: scope, since: since, by: "user/ann")])
            }
            let made = try resource(
                .model, name, file.spec(description: nil, bytes: 1),
                status: try DocumentJSON.encode(status))
            let record = try #require(ModelRecord(made))
            model.models[name] = record
            let own = String(decoding: try file.data(), as: UTF8.self)
            model.modelFiles[record.uid] = ReadModel(text ?? own, checksum: file.checksum)
        }

        func choose(at time: Timestamp = now) -> PredictorInUse? {
            trust = model.choosePredictors(trust: trust, now: time)
            return model.predictors["p"]
        }

        /// Hours that are predicted of a VM of a pool.
        func hours(pool: String = "p") -> Double {
            let features = VMFeatures(resources: .zero, pool: pool)
            return model.predictor.expectedRemaining(uptime: 0, of: features) / 3600
        }
    }

    @Test func theNarrowestPromotionCounts() throws {
        let cell = try Cell(PlacementRules(score: .lava, predictor: .gbdt))
        #expect(cell.choose()?.reason == .modelMissing && cell.hours().isNaN)
        try cell.keep("all", hours: 1, for: .everywhere)
        try cell.keep("other", hours: 9, for: ModelScope(pool: "q"))
        try cell.keep("idle", hours: 9)
        #expect(cell.choose()?.model == "all" && abs(cell.hours() - 1) < 0.001)
        try cell.keep("cells", hours: 2, for: ModelScope(cell: "a"))
        #expect(cell.choose()?.model == "cells")
        try cell.keep("own", hours: 3, for: ModelScope(pool: "p"))
        let chosen = try #require(cell.choose())
        #expect(chosen.model == "own" && chosen.form == .gbdt && chosen.message == "promoted for pool p")
        #expect(abs(cell.hours() - 3) < 0.001)
        // Others are asked nothing of it.
        #expect(cell.hours(pool: "q").isNaN && cell.hours(pool: "").isNaN)
        // Since when does not move while nothing changes.
        #expect(cell.choose(at: Self.now.advanced(by: .seconds(60))) == chosen)
    }

    @Test func aPolicyMayNameItsModel() throws {
        let cell = try Cell(PlacementRules(score: .nilas, predictor: .gbdt, model: "mine"))
        try cell.keep("own", hours: 3, for: ModelScope(pool: "p"))
        #expect(cell.choose()?.reason == .modelMissing && cell.choose()?.form == .km)
        try cell.keep("mine", hours: 4)
        #expect(cell.choose()?.model == "mine" && abs(cell.hours() - 4) < 0.001)
    }

    @Test func withoutAPredictorNoModelIsAsked() throws {
        for rules in [nil, PlacementRules(score: .lava), PlacementRules(score: .lava, predictor: .km)] {
            let cell = try Cell(rules)
            try cell.keep("all", hours: 1, for: .everywhere)
            #expect(cell.choose()?.form == .km && cell.model.wantedModels.isEmpty && cell.hours().isNaN)
        }
        let plain = try Cell(PlacementRules(score: .bestFit))
        #expect(plain.choose() == nil)
    }

    @Test func aDamagedFileLeavesWhatIsLearned() throws {
        let cell = try Cell(PlacementRules(score: .lava, predictor: .gbdt))
        try cell.keep("all", hours: 1, for: .everywhere, text: "{\"format\":\"x\",\"version\":1}")
        let chosen = try #require(cell.choose())
        #expect(chosen.reason == .modelDamaged && chosen.form == .km && chosen.message.contains("format"))
        #expect(cell.hours().isNaN)
        #expect(ReadModel(nil, checksum: "") == "its file is gone")
        let other = String(decoding: try Self.file(hours: 2).data(), as: UTF8.self)
        #expect(ReadModel(other, checksum: "00") == "its file is another one than its document says")
    }

    @Test func anInaccurateModelIsLeftUntilItIsPromotedAgain() throws {
        let cell = try Cell(PlacementRules(score: .lava, predictor: .gbdt))
        try cell.keep("all", hours: 1, for: .everywhere)
        #expect(cell.choose()?.form == .gbdt)
        var lost = try #require(cell.trust["p"])
        // By what is written down of it, as a controller that takes over reads it.
        let text = try JSONEncoder().encode(lost)
        let broken = String(decoding: text, as: UTF8.self).replacing(
            "\"isLost\":false", with: "\"isLost\":true")
        lost = try JSONDecoder().decode(ModelTrust.self, from: Data(broken.utf8))
        cell.trust["p"] = lost
        let later = Self.now.advanced(by: .seconds(10))
        let chosen = try #require(cell.choose(at: later))
        #expect(chosen.reason == .modelInaccurate && chosen.form == .km && chosen.since == later)
        #expect(cell.trust["p"] == lost)
        try cell.keep("all", hours: 1, for: .everywhere, since: later)
        cell.trust["p"]?.model = try #require(cell.model.models["all"]).uid
        #expect(cell.choose(at: later)?.form == .gbdt && cell.trust["p"]?.isLost == false)
    }

    /// Placement asks models what training taught them: one VM is the same to all three.
    @Test func oneVMIsTheSameToPlacementTheLedgerAndTraining() throws {
        let spec = VMSpec(
            cell: "a", pool: "p", resources: Resources(milliCPU: 3000, memoryMiB: 5000), class: .spot,
            lifetimeHintSeconds: 90)
        let metadata = Metadata(
            name: "web", uid: Self.ids.id(), project: "team",
            labels: ["App": "shop", "tier": "", "zone/x": "1"], createdAt: Self.now)
        let vm = Resource(kind: .vm, metadata: metadata, spec: try DocumentJSON.encode(spec))
        let request = try #require(try VMRecord(vm).request(flavors: [:]))
        let allocation = Allocation(
            id: Self.ids.id(), workload: request.workload, cell: "a", host: Self.ids.id(), class: .spot,
            resources: request.resources, createdAt: Self.now)
        let record = VMHistoryRecord(
            uid: metadata.uid, project: "team", name: "web", cell: "a", pool: "p", labels: metadata.labels,
            class: .spot, resources: request.resources, lifetimeHintSeconds: 90, startedAt: Self.now,
            endedAt: Self.now.advanced(by: .seconds(60)))
        let waiting = VMFeatures(request)
        #expect(waiting.attributes == ["app": "shop", "zone/x": "1"])
        #expect(VMFeatures(allocation, metadata: metadata, spec: spec) == waiting)
        #expect(VMFeatures(record) == waiting)
        let lesson = TrainingVM(record, now: Self.now.advanced(by: .seconds(100)))
        #expect(lesson.observation.features == waiting)
        #expect(lesson.observation.seconds == 60 && lesson.observation.hasEnded)
        var cell = CellModel(name: "a")
        cell.put(vm: try VMRecord(vm))
        cell.put(allocation: allocation)
        #expect(cell.lifetime(of: allocation).features == waiting)
        // And so are the numbers that trees compare.
        let encoder = FeatureEncoder([
            ModelFeature(name: "vcpu", kind: .number), ModelFeature(name: "memoryPerVCPU", kind: .number),
            ModelFeature(name: "class", kind: .category(values: ["spot": 1], otherwise: 0)),
            ModelFeature(name: "app", kind: .category(values: ["shop": 2], otherwise: 0)),
            ModelFeature(name: "zone/x", kind: .number),
        ])
        let vector = encoder.vector(waiting, uptime: 0)
        #expect(encoder.vector(lesson.observation.features, uptime: 0) == vector)
        #expect(vector[2] == 1 && vector[3] == 2 && vector[4] == 1)
    }

    @Test func comparisonsSayWhichIsWorse() {
        func vm(_ milliCPU: Int, _ hours: Double) -> TrainingVM {
            let features = VMFeatures(resources: Resources(milliCPU: milliCPU, memoryMiB: 1024))
            return TrainingVM(
                LifetimeObservation(features: features, seconds: hours * 3600, hasEnded: true), startedAt: 0)
        }
        struct BySize: LifetimeModel {
            var sign: Double
            func expectedRemaining(uptime: Double, of features: VMFeatures) -> Double {
                90_000 + sign * Double(features.resources.milliCPU)
            }
        }
        let vms = (1...150).map { vm($0 * 100, Double($0)) }
        let good = LifetimePredictor(BySize(sign: 1), cap: nil)
        let bad = LifetimePredictor(BySize(sign: -1), cap: nil)
        let worse = ModelComparison(of: bad, against: good, on: vms)
        #expect(worse.isWorse == true && worse.words.hasPrefix("C-index 0.000 against 1.000"))
        #expect(ModelComparison(of: good, against: bad, on: vms).isWorse == false)
        #expect(ModelComparison(of: good, against: good, on: vms).isWorse == false)
        let few = ModelComparison(of: good, against: bad, on: Array(vms.prefix(50)))
        #expect(few.isWorse == nil && few.words == "50 VMs ended; it takes 100 to tell")
    }
}

extension ReadModel {
    fileprivate static func == (left: ReadModel, right: String) -> Bool {
        if case .damaged(let what) = left { what == right } else { false }
    }
}
