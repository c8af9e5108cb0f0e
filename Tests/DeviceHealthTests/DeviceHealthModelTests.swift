import DeviceHealth
import Fleet
import Foundation
import Testing

@Suite struct DeviceHealthModelTests {
    private let catalogue = XIDCatalogue()
    private var model = DeviceHealthModel()
    private let start = Timestamp(seconds: 1_000_000)

    private func time(_ seconds: Int) -> Timestamp { start.advanced(by: .seconds(seconds)) }

    init() { model.booted("boot-1") }

    private mutating func xid(_ code: Int, at seconds: Int, text: String = "", device: String = "a") {
        model.take(
            line: "NVRM: Xid (PCI:\(device)): \(code), \(text)", at: time(seconds),
            devices: ["a": "GPU-a", "b": "GPU-b"], catalogue: catalogue)
    }

    private func action(at seconds: Int, of device: String = "GPU-a") -> DeviceVerdict.Action? {
        model.verdict(of: device, at: time(seconds))?.action
    }

    private func health(at seconds: Int) -> Device.Health {
        model.judged(Device(uuid: "GPU-a", model: "H100", memoryMiB: 1), at: time(seconds)).health
    }

    @Test mutating func `a fatal code fails its device and no other`() throws {
        xid(79, at: 0)
        let verdict = try #require(model.verdict(of: "GPU-a", at: time(1)))
        #expect(verdict.action == .restartHost && verdict.since == start)
        #expect(verdict.reasons == ["XID 79: GPU has fallen off the bus"])
        #expect(health(at: 1) == .failed)
        #expect(model.verdict(of: "GPU-b", at: time(1)) == nil)
        // It does not go away by waiting.
        #expect(action(at: 10_000_000) == .restartHost)
    }

    @Test mutating func `notes end by themselves`() {
        xid(13, at: 0)
        #expect(action(at: 10) == .restartWorkload && health(at: 10) == .healthy)
        #expect(action(at: 3599) == .restartWorkload && action(at: 3600) == nil)
        xid(63, at: 0)
        #expect(action(at: 3600) == nil && model.tally.xids == [13: 1, 63: 1])
    }

    @Test mutating func `a tenant's errors never degrade a device`() {
        for number in 0..<200 { xid(31, at: number * 120) }
        #expect(health(at: 200 * 120) == .healthy)
    }

    @Test mutating func `failures that are not the workload's own degrade the device`() {
        for number in 0..<4 { xid(94, at: number * 120) }
        #expect(health(at: 500) == .healthy)
        xid(94, at: 500)
        #expect(action(at: 501) == .resetDevice && health(at: 501) == .degraded)
    }

    @Test mutating func `a burst is one incident, in whatever codes`() {
        for second in 0..<300 { xid(second % 2 == 0 ? 48 : 95, at: second) }
        #expect(action(at: 300) == .resetDevice)
    }

    @Test mutating func `a device that needs a reset again and again is to be replaced`() {
        for round in 0..<3 {
            xid(95, at: round * 1000)
            #expect(action(at: round * 1000) == (round < 2 ? .resetDevice : .repairHost))
            model.take(
                line: "NVRM: loading NVIDIA UNIX x86_64 Kernel Module", at: time(round * 1000 + 500),
                devices: [:], catalogue: catalogue)
            #expect(action(at: round * 1000 + 500) == (round < 2 ? nil : .repairHost))
        }
        // A day later it begins anew.
        model.booted("boot-2")
        #expect(action(at: 3000) == nil)
        xid(95, at: 3000 + 86_500)
        #expect(action(at: 3000 + 86_500) == .resetDevice)
    }

    @Test mutating func `a boot takes findings away and remembers incidents`() {
        xid(79, at: 0)
        model.booted("boot-1")
        #expect(action(at: 1) == .restartHost)
        model.booted("boot-2")
        #expect(action(at: 2) == nil)
        xid(79, at: 600)
        #expect(action(at: 601) == .repairHost)
    }

    @Test mutating func `the driver's word on recovery is taken`() {
        xid(95, at: 0)
        xid(154, at: 1, text: "GPU recovery action changed from 0x1 (GPU Reset Required) to 0x0 (None)")
        #expect(action(at: 2) == nil)
        xid(154, at: 3, text: "GPU recovery action changed from 0x0 (None) to 0x2 (Node Reboot Required)")
        #expect(action(at: 4) == .restartHost)
        xid(154, at: 5, text: "something new", device: "b")
        #expect(action(at: 6, of: "GPU-b") == .investigate)
    }

    @Test mutating func `addresses of nobody are counted`() {
        for number in 0..<1000 {
            model.take(
                line: "NVRM: Xid (PCI:x\(number)): 79", at: start, devices: ["a": "GPU-a"],
                catalogue: catalogue)
        }
        model.take(line: "NVRM: Xid (PCI:a): nonsense", at: start, devices: [:], catalogue: catalogue)
        #expect(model.tally.strangers.values.reduce(0, +) == 1000)
        #expect(model.tally.strangers.count == DeviceHealthModel.Limit.strangers + 1)
        #expect(model.tally.malformed == 1 && action(at: 1) == nil)
    }

    // MARK: Counters

    private mutating func count(_ counters: DeviceCounters, at seconds: Int) {
        model.take([counters], at: time(seconds))
    }

    @Test mutating func `counters say what they say, and take it back`() {
        count(DeviceCounters(uuid: "GPU-a", isRemapPending: true), at: 0)
        #expect(action(at: 0) == .resetDevice)
        count(DeviceCounters(uuid: "GPU-a", isRemapPending: true, hasRemapFailed: true), at: 10)
        #expect(action(at: 10) == .repairHost && health(at: 10) == .failed)
        count(DeviceCounters(uuid: "GPU-a", uncorrectedErrors: 3), at: 20)
        #expect(model.verdict(of: "GPU-a", at: time(20))?.reasons == ["3 memory errors were not corrected"])
        // A number that moves is no news.
        count(DeviceCounters(uuid: "GPU-a", uncorrectedErrors: 9), at: 22)
        #expect(model.verdict(of: "GPU-a", at: time(22))?.reasons == ["3 memory errors were not corrected"])
        // A look without the device leaves what is known.
        model.take([], at: time(25))
        #expect(action(at: 25) == .resetDevice)
        count(DeviceCounters(uuid: "GPU-a", uncorrectedErrors: 0), at: 30)
        #expect(action(at: 30) == nil)
        count(DeviceCounters(uuid: "GPU-a", isLost: true), at: 40)
        #expect(action(at: 40) == .restartHost)
    }

    @Test mutating func `errors count by their growth within a window`() {
        count(DeviceCounters(uuid: "GPU-a", correctedErrors: 5000, linkErrors: 700), at: 0)
        #expect(action(at: 0) == nil)
        count(DeviceCounters(uuid: "GPU-a", correctedErrors: 5120, linkErrors: 790), at: 600)
        #expect(action(at: 600) == .investigate && health(at: 600) == .healthy)
        count(DeviceCounters(uuid: "GPU-a", correctedErrors: 5120, linkErrors: 801), at: 700)
        #expect(action(at: 700) == .inspectHost && health(at: 700) == .degraded)
        count(DeviceCounters(uuid: "GPU-a", correctedErrors: 5121, linkErrors: 801), at: 4400)
        #expect(action(at: 4400) == nil)
        // A counter that begins anew has not grown.
        count(DeviceCounters(uuid: "GPU-a", correctedErrors: 0, linkErrors: 0), at: 4500)
        #expect(action(at: 4500) == nil)
    }

    @Test mutating func `clocks that are held down for long, and links that go`() {
        count(DeviceCounters(uuid: "GPU-a", activeLinks: 18, thermalNanoseconds: 0), at: 0)
        count(DeviceCounters(uuid: "GPU-a", activeLinks: 18, thermalNanoseconds: 50_000_000_000), at: 60)
        #expect(action(at: 60) == nil)
        count(DeviceCounters(uuid: "GPU-a", activeLinks: 18, thermalNanoseconds: 110_000_000_000), at: 130)
        #expect(action(at: 130) == .inspectHost)
        count(DeviceCounters(uuid: "GPU-a", activeLinks: 16, thermalNanoseconds: 110_000_000_000), at: 135)
        #expect(action(at: 135) == .resetDevice)
    }

    @Test mutating func `a device is never better than its driver says`() {
        xid(95, at: 0)
        var device = Device(uuid: "GPU-a", model: "H100", memoryMiB: 1, health: .failed)
        #expect(model.judged(device, at: time(1)).health == .failed)
        device.health = .unknown
        #expect(model.judged(device, at: time(1)).health == .unknown)
        #expect(model.judged(device, at: time(1)).verdict?.action == .resetDevice)
    }

    @Test mutating func `what is kept on disk goes on where it was`() throws {
        xid(95, at: 0)
        count(DeviceCounters(uuid: "GPU-b", correctedErrors: 5), at: 1)
        let copy = try JSONDecoder().decode(DeviceHealthModel.self, from: JSONEncoder().encode(model))
        #expect(copy == model)
    }

    @Test mutating func `reasons are bounded`() throws {
        for code in [95, 48, 109, 110, 119, 120, 140, 143] { xid(code, at: 0) }
        let verdict = try #require(model.verdict(of: "GPU-a", at: time(1)))
        #expect(verdict.reasons.count == DeviceVerdict.Limit.reasons)
        xid(154, at: 2, text: String(repeating: "x", count: 5000), device: "b")
        let long = try #require(model.verdict(of: "GPU-b", at: time(3)))
        #expect(long.reasons.allSatisfy { $0.count <= DeviceVerdict.Limit.reasonLength })
    }
}
