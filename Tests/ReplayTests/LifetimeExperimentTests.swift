import Fleet
import Foundation
import Replay
import Testing
import VMPlacement

@Suite struct LifetimeExperimentTests {
    private func options(
        _ policies: [PlacementPolicy], _ prediction: LifetimePrediction?, seed: UInt64 = 0, warmUp: Int = 0
    ) throws -> VMExperiment.Options {
        try VMExperiment.Options(
            hosts: 2, shape: HostShape(parsing: "4x8"), policies: policies, warmUpSeconds: warmUp,
            sampleStepSeconds: 600, prediction: prediction, seed: seed)
    }

    private func run(_ vms: [TraceVM], _ options: VMExperiment.Options) throws -> [PolicyResult] {
        try VMExperiment(options: options).run(VMTrace(vms: vms), clock: ContinuousClock())
    }

    /// Two VMs fill a host each but for a vCPU; a third that ends with the longer one belongs there, and best
    /// fit puts it beside the shorter one.
    @Test func whoKnowsTheEndsKeepsAHostEmpty() throws {
        let vms = [
            vm(0, 4_000, vCPU: 3), vm(0, 100_000, vCPU: 2), vm(10, 90_000), vm(99_000, 99_001),
        ]
        let results = try run(vms, options([.bestFit, .nilas, .lava, .laBinary], .oracle(sigma: 0)))
        let empty = results.map(\.emptyHostsPct)
        #expect(empty[1] > empty[0] + 30 && empty[1] == empty[2] && empty[1] == empty[3])
        #expect(results.map(\.classAccuracy) == [nil, 1, 1, 1])
        #expect(results[0].predictionsPerPlacement == nil)
        #expect(results[3].predictionsPerPlacement == 1)
    }

    @Test func theOraclesErrorsDependOnTheSeedAndOnNothingElse() throws {
        let vms = (0..<200).map { vm($0 * 60, $0 * 60 + 100 + ($0 * 7919) % 9000) }
        func accuracy(_ seed: UInt64, _ policies: [PlacementPolicy]) throws -> Double? {
            try run(vms, options(policies, .oracle(sigma: 2), seed: seed)).last?.classAccuracy
        }
        #expect(try accuracy(1, [.nilas]) == accuracy(1, [.lava, .nilas]))
        #expect(try Set((0..<5).map { try accuracy($0, [.nilas]) }).count > 1)
    }

    @Test func aModelLearnsFromWhatEndedBeforeTheWindow() throws {
        // All of one size live 600 s; a curve of their own says so.
        let vms = (0..<120).map { vm($0 * 100, $0 * 100 + 600) }
        for prediction in [LifetimePrediction.kaplanMeier(file: nil), .age(file: nil), .logNormal(file: nil)]
        {
            let result = try run(vms, options([.nilas], prediction, warmUp: 10_000)).first
            #expect(result?.classAccuracy == 1 && result?.failed == 0)
        }
    }

    @Test func aPolicyThatNeedsPredictionsAsksForThem() throws {
        let error = #expect(throws: OptionError.self) {
            try VMExperiment(options: options([.bestFit, .lava], nil))
        }
        #expect(error?.field == "predictor" && error?.expected == "a predictor of lifetimes for lava")
    }

    @Test(arguments: [
        ("oracle:0.5", LifetimePrediction.oracle(sigma: 0.5)), ("oracle:0", .oracle(sigma: 0)),
        ("km", .kaplanMeier(file: nil)), ("km:a:b.csv", .kaplanMeier(file: "a:b.csv")),
        ("age", .age(file: nil)), ("lognormal:x", .logNormal(file: "x")),
        ("gbdt:m.json", .boosted(file: "m.json")),
    ])
    func aPredictorIsReadAsTyped(text: String, prediction: LifetimePrediction) throws {
        #expect(try LifetimePrediction(parsing: text) == prediction)
    }

    @Test(arguments: [
        ("oracle", "oracle:0.5"), ("oracle:-1", "oracle:0.5"), ("oracle:nan", "oracle:0.5"), ("kn", "km"),
        ("log-normal", "lognormal"), ("km:", "km"), ("", "km"), ("gbdt", "gbdt:model.json"),
    ])
    func aPredictorNamesTheNearest(text: String, nearest: String) {
        let error = #expect(throws: OptionError.self) { try LifetimePrediction(parsing: text) }
        #expect(error?.field == "predictor" && error?.nearest == nearest)
    }

    @Test(arguments: [("7d", 604_800), ("12h", 43_200), ("90m", 5400), ("1s", 1)])
    func aCapHasAUnit(text: String, seconds: Int) throws {
        #expect(try LifetimeCap(parsing: text).duration == .seconds(seconds))
        #expect(try LifetimeCap(parsing: "none").duration == nil)
    }

    @Test(arguments: ["", "7", "d", "0d", "-1d", "7w", "99999d", "1.5d"])
    func aCapThatCannotBeReadIsRefused(text: String) {
        let error = #expect(throws: OptionError.self) { try LifetimeCap(parsing: text) }
        #expect(error?.field == "cap" && error?.nearest == "7d")
    }

    @Test func lifetimesAreReadFromATable() throws {
        let text = "mem_gb,lifetime_s,vcpu,censored\n1.75,300,1,0\n\n3.5,12.5,2,1\n"
        let seen = try LifetimeReader().read(.bytes(Array(text.utf8), name: "l.csv"))
        #expect(seen.map(\.seconds) == [300, 12.5] && seen.map(\.hasEnded) == [true, false])
        #expect(seen.first?.features.resources == Resources(milliCPU: 1000, memoryMiB: 1792))
        let none = "vcpu,mem_gb,lifetime_s,censored\n1,1,5,1\n"
        let error = #expect(throws: TraceError.self) {
            try LifetimeReader().read(.bytes(Array(none.utf8), name: "l.csv"))
        }
        #expect(error?.code == .empty)
    }
}

@Suite struct DrainExperimentTests {
    private func run(_ vms: [TraceVM], _ options: DrainExperiment.Options) throws -> [DrainResult] {
        let fleet = try VMExperiment.Options(
            hosts: 1, shape: HostShape(parsing: "8x16"), policies: [.nilas], warmUpSeconds: 60,
            untilSeconds: 100, sampleStepSeconds: 3600, prediction: .oracle(sigma: 0))
        return try DrainExperiment(fleet: fleet, options: options).run(
            VMTrace(vms: vms), clock: ContinuousClock())
    }

    /// At 60 s the VMs have 5, 30, 70, 200 and 15 minutes left.
    @Test func ordersAreComparedWithRandomOrder() throws {
        let vms = [5, 30, 70, 200, 15].map { vm(0, 60 + $0 * 60) } + [vm(100, 101)]
        let results = try run(vms, .init(orders: [.lars, .shortest, .oracle], slots: 1))
        #expect(results.map(\.order) == [.lars, .shortest, .oracle])
        #expect(results.map(\.migrations) == [2, 4, 2] && results.map(\.avoided) == [3, 1, 3])
        #expect(results.allSatisfy { $0.hosts == 1 } && (results.first?.changePct ?? 1) <= 0)
        #expect(abs((results.first?.hoursToEmpty ?? 0) - 40.0 / 60) < 0.001)
    }

    @Test(arguments: [
        (DrainExperiment.Options(slots: 0), "slots"), (.init(minutes: 0), "minutes"),
        (.init(fraction: 0), "fraction"), (.init(fraction: 1.5), "fraction"),
        (.init(fraction: .nan), "fraction"),
    ])
    func anOptionOutOfRangeIsRefused(options: DrainExperiment.Options, field: String) {
        let error = #expect(throws: OptionError.self) { try run([vm(0, 100)], options) }
        #expect(error?.field == field)
    }
}
