import AgentProtocol
import FaultLab
import FaultSeam
import Fleet
import Foundation
import NodeAgent
import Testing

/// What an agent does to itself while its seam says so.
struct SeamedAgentTests {
    /// A seam with one fault, which can be ended.
    private struct Seam {
        let directory: URL
        let seam: FaultSeam
        let clock = SystemAgentClock(bootID: "boot")

        init(_ kind: FaultKind, _ target: FaultTarget, _ parameters: FaultParameters) throws {
            var template = Array("/tmp/basalt-seam-XXXXXX".utf8CString)
            directory = URL(filePath: try #require(mkdtemp(&template).map { String(cString: $0) }))
            seam = try FaultSeam(directory.path, bootID: "boot")
            try seam.folder.write(
                SeamFault(
                    kind: kind, target: target, parameters: parameters, deadline: .max, bootID: "boot"),
                named: "fault")
        }

        func heal() throws { try FileManager.default.removeItem(atPath: seam.folder.file("fault")) }
        func end() throws { try FileManager.default.removeItem(at: directory) }
    }

    private static let agent = FaultTarget(.agent, "a")
    private static let report = ReportRequest(incarnation: 1, sequence: 1, parts: [])

    @Test func reportsGetLostAndEverythingElseArrives() async throws {
        let seam = try Seam(.heartbeatDrop, Self.agent, FaultParameters())
        defer { try? seam.end() }
        let heard = HeardControlPlane()
        let asked = Counter()
        let controlPlane = SeamedControlPlane(heard, seam: seam.seam, clock: seam.clock) {
            asked.add()
            return 0.99
        }
        _ = try await controlPlane.poll(PollRequest(incarnation: 1, cursor: nil, waitSeconds: 0))
        #expect(heard.polls.value == 1)
        async let lost = controlPlane.report(Self.report)
        try await eventually("it is to be lost") { asked.value == 1 }
        try seam.heal()
        do {
            _ = try await lost
            Issue.record("it was answered")
        } catch is ControlPlaneError {}
        #expect(heard.reports.value == 0)
        _ = try await controlPlane.report(Self.report)
        #expect(heard.reports.value == 1)
    }

    @Test func reportsArriveTwice() async throws {
        let seam = try Seam(.linkDuplicate, FaultTarget(.link, "a"), FaultParameters(probability: 0.5))
        defer { try? seam.end() }
        let heard = HeardControlPlane()
        let lucky = SeamedControlPlane(heard, seam: seam.seam, clock: seam.clock, unit: { 0.6 })
        _ = try await lucky.report(Self.report)
        #expect(heard.reports.value == 1)
        let unlucky = SeamedControlPlane(heard, seam: seam.seam, clock: seam.clock, unit: { 0.4 })
        _ = try await unlucky.report(Self.report)
        #expect(heard.reports.value == 3)
    }

    @Test func theWallClockIsOffAndTheLeaseClockIsNot() async throws {
        let seam = try Seam(.clockOffset, Self.agent, FaultParameters(offsetSeconds: -7200))
        defer { try? seam.end() }
        let clock = SeamedClock(seam.clock, seam: seam.seam)
        let wall = seam.clock.wallTime()
        #expect(clock.wallTime().since(wall) < .seconds(-7100))
        #expect(clock.now().since(seam.clock.now()) < .seconds(60))
        try seam.heal()
        try await eventually("it is right again") { clock.wallTime().since(wall) >= .zero }
    }

    @Test func aHostIsToldOfWithLessThanItHas() async throws {
        let seam = try Seam(.wrongInventory, Self.agent, FaultParameters(count: 3))
        defer { try? seam.end() }
        let room = Resources(milliCPU: 8000, memoryMiB: 4096)
        let devices = (0..<4).map { Device(uuid: "GPU-\($0)", model: "h100", memoryMiB: 81_920) }
        let inventory = SeamedInventory(
            FixedInventory(hosts: [
                InventoriedHost(
                    name: "plain",
                    inventory: HostInventory(
                        capacity: room, reserved: Resources(milliCPU: 100, memoryMiB: 3000),
                        substrate: "process")),
                InventoriedHost(
                    name: "with",
                    inventory: HostInventory(capacity: room, devices: devices, substrate: "process")),
            ]), seam: seam.seam)
        let told = try await inventory.hosts()
        #expect(told[0].inventory.capacity == Resources(milliCPU: 4000, memoryMiB: 3000))
        #expect(told[1].inventory.devices.map(\.uuid) == ["GPU-0"])
        #expect(told[1].inventory.capacity == room)
        try seam.heal()
        try await eventually("it is told of whole") {
            try await inventory.hosts()[1].inventory.devices.count == 4
        }
    }

    @Test func startsAreRefused() async throws {
        let seam = try Seam(
            .vmStartFailure, FaultTarget(.host, "a"), FaultParameters(probability: 1, value: "no files left"))
        defer { try? seam.end() }
        let inner = StillRuntime(part: Self.part)
        let runtime = SeamedRuntime(inner, seam: seam.seam, clock: seam.clock, unit: { 0.5 })
        let start = PartStart(key: Self.part.key, directive: Self.part.directive)
        await #expect(throws: RuntimeError.refused("no files left")) { try await runtime.start(start) }
        #expect(inner.starts.value == 0)
        try seam.heal()
        try await eventually("starts succeed") {
            do { try await runtime.start(start) } catch { return false }
            return inner.starts.value == 1
        }
    }

    @Test func whatMovesAwayIsNotLetGo() async throws {
        let seam = try Seam(.migrationStuck, FaultTarget(.vm, "team/v"), FaultParameters())
        defer { try? seam.end() }
        let inner = StillRuntime(part: Self.part)
        let runtime = SeamedRuntime(inner, seam: seam.seam, clock: seam.clock, unit: { 0.5 })
        async let stop: Void = runtime.stop(Self.part.key)
        try await eventually("it was asked for what runs") { inner.looks.value > 1 }
        #expect(inner.stops.value == 0)
        try seam.heal()
        try await stop
        #expect(inner.stops.value == 1)
    }

    private static let part = RuntimePart(
        key: PartKey(host: "a", allocation: ID(uuid)), state: .running,
        directive: PartDirective(
            allocation: ID(uuid),
            workload: WorkloadReference(
                kind: .vm, uid: ID(uuid), project: "team", name: "v", part: "vm"),
            action: .run, resources: Resources(milliCPU: 100, memoryMiB: 64), devices: [],
            onPartition: .keep))
    private static let uuid = UUID(uuidString: "018f0000-0000-7000-8000-000000000001") ?? UUID()
}

private struct FixedInventory: InventorySource {
    let hosts: [InventoriedHost]

    func hosts() async throws -> [InventoriedHost] { hosts }
}

private final class HeardControlPlane: ControlPlane {
    let polls = Counter()
    let reports = Counter()

    func hello(_ request: HelloRequest) async throws -> HelloResponse {
        throw ControlPlaneError.unavailable("nobody says hello")
    }

    func poll(_ request: PollRequest) async throws -> PollResponse {
        polls.add()
        return PollResponse(cursor: "1", epoch: 1, assignments: [])
    }

    func report(_ request: ReportRequest) async throws -> ReportResponse {
        reports.add()
        return ReportResponse(acknowledged: request.sequence, epoch: 1)
    }

    func answer(_ answer: LogAnswer) async throws {}
}

private final class StillRuntime: VMRuntime {
    let part: RuntimePart
    let (starts, stops, looks) = (Counter(), Counter(), Counter())

    init(part: RuntimePart) { self.part = part }

    let substrate = "still"

    func parts() async throws(RuntimeError) -> [RuntimePart] {
        looks.add()
        return [part]
    }

    func start(_ start: PartStart) async throws(RuntimeError) { starts.add() }
    func stop(_ key: PartKey) async throws(RuntimeError) { stops.add() }
    func forget(_ keys: [PartKey]) async throws(RuntimeError) {}
    func renew(_ renewal: LeaseRenewal) {}
    func changes() async throws -> RuntimeChanges { RuntimeChanges() }
}
