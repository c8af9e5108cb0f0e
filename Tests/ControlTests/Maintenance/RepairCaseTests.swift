@testable import Control
import Fleet
import Testing

@Suite struct RepairCaseTests {
    private let now = Timestamp(seconds: 1000)

    private func device(
        _ uuid: String, _ action: DeviceVerdict.Action? = nil, since: Double = 900
    ) -> Device {
        Device(
            uuid: uuid, model: "H100", memoryMiB: 1, health: action?.health ?? .healthy,
            verdict: action.map {
                DeviceVerdict(action: $0, reasons: ["r"], since: Timestamp(seconds: since))
            })
    }

    private func state(
        _ repair: HostRepair?, _ devices: [Device], isEmpty: Bool = false, isReady: Bool = true,
        hasRoom: Bool = true
    ) -> RepairCase {
        RepairCase(
            host: "h", repair: repair, devices: devices, isEmpty: isEmpty, isReady: isReady, now: now,
            verify: .seconds(20), hasRoom: hasRoom)
    }

    private func repair(
        _ state: HostRepair.State, since: Double = 900, evidence: [String]? = ["GPU-a@1970-01-01T00:15:00Z"]
    ) -> HostRepair {
        HostRepair(state: state, reason: "fan", since: Timestamp(seconds: since), evidence: evidence)
    }

    @Test func `only what takes the host opens a repair`() {
        #expect(state(nil, []).step == nil)
        for action in DeviceVerdict.Action.allCases where action < .restartHost {
            #expect(state(nil, [device("GPU-a", action)]).step == nil, "\(action)")
        }
        let open = RepairCase.Step.open(reason: "GPU-a: r", evidence: ["GPU-a@1970-01-01T00:15:00Z"])
        #expect(state(nil, [device("GPU-a", .restartHost)]).step == open)
        #expect(state(nil, [device("GPU-b"), device("GPU-a", .repairHost)]).step == open)
        #expect(state(nil, [device("GPU-a", .restartHost)], hasRoom: false).step == .hold(reason: "GPU-a: r"))
        // Once open it waits for a person, whatever its devices say.
        #expect(state(repair(.open), []).step == nil)
        #expect(state(repair(.open), [device("GPU-b", .repairHost)]).step == nil)
    }

    @Test func `phases and what hosts say of them`() {
        #expect(state(nil, []).phase == nil && state(nil, []).condition == nil)
        #expect(state(repair(.open), []).phase == .draining)
        #expect(state(repair(.open), [], isEmpty: true).phase == .awaitingRepair)
        #expect(state(repair(.repaired), []).phase == .verifying)
        #expect(state(repair(.waived), []).phase == nil)
        #expect(state(repair(.open), [], isEmpty: true).condition?.reason == .awaitingRepair)
        #expect(state(repair(.waived), []).condition?.reason == .repairWaived)
    }

    @Test func `what was mended has to show so`() {
        #expect(state(repair(.repaired, since: 981), []).step == nil)
        #expect(state(repair(.repaired, since: 980), [device("GPU-a")]).step == .close)
        #expect(state(repair(.repaired, since: 980), [device("GPU-a")], isReady: false).step == nil)
        let sick = state(repair(.repaired, since: 980), [device("GPU-a", .resetDevice)]).step
        #expect(sick == .reopen(reason: "after the repair GPU-a: r", evidence: []))
        var unknown = device("GPU-a")
        unknown.health = .unknown
        #expect(
            state(repair(.repaired, since: 980), [unknown]).step
                == .reopen(reason: "after the repair GPU-a: its driver says unknown", evidence: []))
    }

    @Test func `what a person waived asks for nothing until there is something new`() {
        let waived = repair(.waived)
        #expect(state(waived, [device("GPU-a", .restartHost)]).step == nil)
        #expect(state(waived, [device("GPU-a", .restartHost, since: 950)]).step != nil)
        #expect(state(waived, [device("GPU-a", .restartHost), device("GPU-b", .restartHost)]).step != nil)
        #expect(state(waived, [device("GPU-a")]).step == .forget)
    }

    @Test func `specs go out of service and come back as they were`() {
        var spec = HostSpec(cell: "a", pool: "p")
        spec.openRepair("fan", at: now)
        #expect(!spec.isSchedulable && spec.draining == true && spec.defects().isEmpty)
        spec.markRepaired(at: now)
        spec.closeRepair()
        #expect(spec == HostSpec(cell: "a", pool: "p"))
        spec = HostSpec(cell: "a", pool: "p", cordoned: true, cordonReason: "noise")
        spec.openRepair("fan", evidence: ["GPU-a@x"], at: now)
        // Opened anew, it still knows how it was.
        spec.openRepair("fan again", evidence: ["GPU-a@y"], at: now)
        spec.closeRepair()
        #expect(spec == HostSpec(cell: "a", pool: "p", cordoned: true, cordonReason: "noise"))
        spec.openRepair("fan", at: now)
        spec.waiveRepair(at: now)
        #expect(spec.repair == nil)
        spec.openRepair("fan", evidence: ["GPU-a@x"], at: now)
        spec.waiveRepair(at: now)
        #expect(spec.repair?.state == .waived && spec.repair?.cordonedBefore == nil)
    }

    @Test func `the worst device speaks for a host`() {
        #expect(Device.condition(of: [device("GPU-a")]).reason == .devicesHealthy)
        let noted = Device.condition(of: [device("GPU-a", .investigate)])
        #expect(noted.reason == .deviceNoted && noted.status == .yes)
        let failed = Device.condition(
            of: [device("GPU-a", .resetDevice), device("GPU-b", .repairHost)]
                + (0..<5).map { device("GPU-c\($0)", .investigate) })
        #expect(failed.reason == .deviceFailed && failed.status == .no)
        #expect(failed.message.hasPrefix("GPU-b failed: r; GPU-a degraded: r; GPU-c0 healthy: r; and 4 more"))
    }
}
