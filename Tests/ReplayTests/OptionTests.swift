import Fleet
import Replay
import Testing
import VMPlacement

@Suite struct OptionTests {
    @Test(arguments: [
        ("8/8", "7/8"), ("-1/8", "0/8"), ("0/0", "0/1"), ("3", "0/8"), ("a/b", "0/8"), ("1/2/3", "0/8"),
    ])
    func aShardNamesTheNearest(text: String, nearest: String) {
        let error = #expect(throws: OptionError.self) { try Shard(parsing: text) }
        #expect(error?.field == "shard" && error?.value == text && error?.nearest == nearest)
    }

    @Test(arguments: [
        ("64y192", "64x192"), ("64", "64x192"), ("0x192", "1x192"), ("9999x1", "4096x1"), ("", "64x192"),
        ("64x192x2", "64x192"), ("64x-192", "64x192"),
    ])
    func aShapeNamesTheNearest(text: String, nearest: String) {
        let error = #expect(throws: OptionError.self) { try HostShape(parsing: text) }
        #expect(error?.field == "host" && error?.value == text && error?.nearest == nearest)
    }

    @Test func aShapeIsVCPUAndGiB() throws {
        let shape = try HostShape(parsing: "64x192")
        #expect(shape.resources == Resources(milliCPU: 64_000, memoryMiB: 196_608))
    }

    @Test(arguments: [("bestfit", "best-fit"), ("first", "first-fit"), ("", "lava")])
    func aPolicyNamesTheNearest(text: String, nearest: String) {
        let error = #expect(throws: OptionError.self) { try PolicyName.policies(parsing: text) }
        #expect(error?.field == "policy" && error?.value == text && error?.nearest == nearest)
    }

    @Test func policiesKeepTheirOrder() throws {
        #expect(try PolicyName.policies(parsing: "best-fit,first-fit,best-fit") == [.bestFit, .firstFit])
    }

    struct Case: Sendable {
        var field: String
        var nearest: String
        var change: @Sendable (inout VMExperiment.Options) -> Void
    }

    @Test(arguments: [
        Case(field: "hosts", nearest: "1") { $0.hosts = 0 },
        Case(field: "hosts", nearest: "100000") { $0.hosts = 1_000_000 },
        Case(field: "sample-step", nearest: "1") { $0.sampleStepSeconds = 0 },
        Case(field: "warm-up", nearest: "0") { $0.warmUpSeconds = -1 },
        Case(field: "until", nearest: "1") { $0.untilSeconds = 0 },
        Case(field: "policy", nearest: "best-fit") { $0.policies = [] },
        Case(field: "warm-up", nearest: "49") {
            $0.warmUpSeconds = 50
            $0.untilSeconds = 50
        },
    ])
    func anExperimentRefusesWhatCannotBeRun(bad: Case) throws {
        var options = try VMExperiment.Options(hosts: 1, shape: HostShape(parsing: "1x1"))
        bad.change(&options)
        let error = #expect(throws: OptionError.self) { try VMExperiment(options: options) }
        #expect(error?.field == bad.field && error?.nearest == bad.nearest)
    }

    @Test func aTraceThatEndsWithinTheWarmUpIsRefused() throws {
        let options = try VMExperiment.Options(
            hosts: 1, shape: HostShape(parsing: "1x1"), warmUpSeconds: 100)
        let error = #expect(throws: OptionError.self) {
            try VMExperiment(options: options).run(VMTrace(vms: [vm(0, 200)]), clock: ContinuousClock())
        }
        #expect(
            error?.description
                == "warm-up: \"100\" given, less than the end of the run, which is at 0 s expected; "
                + "the nearest is 0")
    }
}
