import AgentProtocol
import DeviceHealth
import Fleet
import Foundation
import Logging
@testable import NodeAgent
import Synchronization
import Testing

@Suite("Health of devices")
struct DeviceWatchTests {
    private let directory: TemporaryDirectory
    private let clock = ManualClock()

    init() throws { directory = try TemporaryDirectory() }

    private struct Inventory: InventorySource {
        func hosts() -> [InventoriedHost] {
            let devices = ["a", "b"].map { Device(uuid: "GPU-\($0)", model: "H100", memoryMiB: 1) }
            return [
                InventoriedHost(
                    name: "h",
                    inventory: HostInventory(
                        capacity: Resources(milliCPU: 1, memoryMiB: 1), devices: devices, substrate: "x"))
            ]
        }
    }

    private var path: String { directory.path + "/kmsg" }

    private func append(_ text: String) throws {
        if !FileManager.default.fileExists(atPath: path) { try directory.write("", to: "kmsg") }
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
    }

    private func watch(bootID: String? = nil, memory: DeviceHealthMemory? = nil) -> DeviceHealthWatch {
        let (log, counters) = (path, directory.path + "/counters.json")
        let kept = memory ?? .file(directory.path + "/health.json")
        return DeviceHealthWatch(
            inventory: Inventory(),
            sources: { _ in
                .init(
                    log: KernelLogFile(path: log), counters: DeviceCounterFile(path: counters), memory: kept)
            },
            clock: bootID.map { ManualClock(bootID: $0) } ?? clock, logger: Logger(label: "test"))
    }

    private func health(_ watch: DeviceHealthWatch) async throws -> [Device.Health] {
        try #require(await watch.hosts().first).inventory.devices.map(\.health)
    }

    @Test("What the log says is in the inventory, and a change is told")
    func follows() async throws {
        let watch = watch()
        #expect(try await health(watch) == [.healthy, .healthy])
        try append("NVRM: Xid (PCI:GPU-a): 95, pid=1\nNVRM: Xid (PCI:GPU-b): 13, pid=2\n")
        watch.look()
        try await watch.changes()
        let devices = try #require(await watch.hosts().first).inventory.devices
        #expect(devices.map(\.health) == [.degraded, .healthy])
        #expect(devices.map { $0.verdict?.action } == [.resetDevice, .restartWorkload])
        #expect(watch.health == [.degraded: 1, .healthy: 1])
        try directory.write(#"[{"uuid":"GPU-b","isLost":true}]"#, to: "counters.json")
        watch.look()
        try await watch.changes()
        #expect(try await health(watch) == [.degraded, .failed])
    }

    @Test("A restart counts no line twice and loses none")
    func restarts() async throws {
        for round in 1...3 {
            let watch = watch()
            _ = try await watch.hosts()
            #expect(watch.tally.xids[31] ?? 0 == round - 1)
            // Half a line is no line yet.
            try append("NVRM: Xid (PCI:GPU-a): 3")
            watch.look()
            try append("1, pid=\(round)\n")
        }
        let last = watch()
        _ = try await last.hosts()
        #expect(last.tally.xids == [31: 3])
    }

    @Test("A log that is moved away is read to its end, one that is cut from its beginning")
    func rotation() async throws {
        let watch = watch()
        try append("NVRM: Xid (PCI:GPU-a): 31\n")
        _ = try await watch.hosts()
        try append("NVRM: Xid (PCI:GPU-a): 32\n")
        try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
        try append("NVRM: Xid (PCI:GPU-a): 13\n")
        watch.look()
        watch.look()
        #expect(watch.tally.xids == [31: 1, 32: 1, 13: 1])
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.truncate(atOffset: 0)
        try handle.close()
        watch.look()
        try append("NVRM: Xid (PCI:GPU-a): 69\n")
        watch.look()
        #expect(watch.tally.xids == [31: 1, 32: 1, 13: 1, 69: 1])
    }

    @Test("Bad lines and a bad file of counters are told and change nothing")
    func badInput() async throws {
        try append("NVRM: Xid (PCI:GPU-a): nonsense\nNVRM: Xid (PCI:zz): 79\n")
        try directory.write("{", to: "counters.json")
        let watch = watch()
        #expect(try await health(watch) == [.healthy, .healthy])
        #expect(watch.tally.malformed == 1 && watch.tally.strangers == ["zz": 1])
    }

    @Test("Lines are read again when what followed from them could not be kept")
    func fullDisk() async throws {
        let slot = DeviceHealthMemory.Slot()
        let isFull = Mutex(true)
        let kept = DeviceHealthMemory.memory(slot)
        let memory = DeviceHealthMemory(
            load: kept.load,
            store: { bytes in
                if isFull.withLock({ $0 }) { throw JournalError.system("write", "health") }
                try kept.store(bytes)
            })
        try append("NVRM: Xid (PCI:GPU-a): 79\n")
        let watch = watch(memory: memory)
        #expect(try await health(watch) == [.healthy, .healthy])
        isFull.withLock { $0 = false }
        watch.look()
        #expect(watch.tally.xids == [79: 1])
        #expect(try await health(watch) == [.failed, .healthy])
    }

    @Test("Another boot takes findings away; a file that cannot be read is no clean bill")
    func boots() async throws {
        try append("NVRM: Xid (PCI:GPU-a): 79\n")
        #expect(try await health(watch()) == [.failed, .healthy])
        #expect(try await health(watch(bootID: "boot-2")) == [.healthy, .healthy])
        try directory.write("nonsense", to: "health.json")
        await #expect(throws: JournalError.self) { _ = try await watch().hosts() }
    }

    @Test("Records of the kernel's own log")
    func records() throws {
        let record = try #require(
            KernelMessages.record("4,812,99,-;NVRM: Xid (PCI:x): 79\n SUBSYSTEM=pci\n"))
        #expect(record.number == 812 && record.line == "NVRM: Xid (PCI:x): 79")
        #expect(KernelMessages.record("nonsense") == nil && KernelMessages.record("a,b,c;x") == nil)
    }

    @Test("A session tells a changed inventory with a hello of its own")
    func session() throws {
        var harness = StateHarness.connected(hosts: 1)
        var found = fleet(count: 1).hosts
        #expect(harness.handle(.inventoryFound(found)).hellos.isEmpty)
        #expect(harness.state.incarnation != nil)
        found[0].inventory.labels["x"] = "1"
        _ = harness.handle(.inventoryFound(found))
        let first = try #require(harness.handle(.tick, after: 1).hellos.first)
        #expect(first.hosts.first?.inventory.labels["x"] == "1")
        // It changes again while that one is under way, and strangers are not taken up.
        found[0].inventory.labels["x"] = "2"
        var stranger = found[0]
        stranger.name = "stranger"
        #expect(harness.handle(.inventoryFound(found + [stranger])).hellos.isEmpty)
        var response = hello
        response.incarnation = 2
        _ = harness.handle(.helloAnswered(response))
        let second = try #require(harness.handle(.tick, after: 1).hellos.first)
        #expect(second.hosts.map { $0.inventory.labels["x"] } == ["2"])
    }
}
