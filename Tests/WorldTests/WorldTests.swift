import FaultLab
import Fleet
import Foundation
import Store
import Synchronization
import Testing

@testable import World

@Suite("Simulated worlds") struct WorldTests {
    private func configuration(seed: UInt64, minutes: Int) -> WorldConfiguration {
        var configuration = WorldConfiguration(seed: seed, duration: .seconds(minutes * 60))
        configuration.hostsPerCell = 4
        configuration.arrivalEvery = .seconds(60)
        configuration.checkEvery = .seconds(60)
        return configuration
    }

    @Test("a quiet world is well, and its VMs run") func quiet() async throws {
        var quiet = configuration(seed: 1, minutes: 10)
        quiet.faults = FaultSchedule()
        let report = try await World.run(quiet)
        #expect(report.violations.isEmpty, "\(report.violations)")
        #expect(report.vms > 5)
        #expect(report.ledgerLooks > 20, "every change of the ledger is judged at once")
        #expect(report.faultsInjected.isEmpty)
    }

    @Test("the invariants hold through faults, and everything recovers", arguments: [UInt64](1...2))
    func faults(seed: UInt64) async throws {
        var world = configuration(seed: seed, minutes: 20)
        world.acceleration = 30_000
        let report = try await World.run(world)
        #expect(report.violations.isEmpty, "seed \(seed): \(report.violations) \(report.lastEvents)")
        #expect(report.faultsInjected.values.reduce(0, +) > 5)
    }

    @Test("each kind of fault can be injected and reverted")
    func everyKind() async throws {
        var world = configuration(seed: 4, minutes: 38)
        let surface = world.surface
        var faults: [Fault] = []
        for (index, kind) in FaultKind.drawn.sorted().enumerated() {
            let target: FaultTarget
            switch kind.layer {
            case .policy where kind == .quotaTooLow: target = FaultTarget(.project, "team")
            case .controller: target = FaultTarget(.controller, surface.controllers[index % 3])
            case .store: target = FaultTarget(.store, "primary")
            case .network where kind == .rackPartition: target = FaultTarget(.rack, surface.racks[0])
            default: target = FaultTarget(.host, surface.hosts[index % surface.hosts.count])
            }
            faults.append(
                Fault(
                    id: index, kind: kind, target: target, start: .seconds(60 + 75 * index),
                    lease: .seconds(40)))
        }
        world.faults = FaultSchedule(faults)
        let report = try await World.run(world)
        #expect(report.violations.isEmpty, "\(report.violations) \(report.lastEvents)")
        #expect(Set(report.faultsInjected.keys) == FaultKind.drawn)
    }

    @Test("a host that loses its power is found and comes back")
    func times() async throws {
        var world = configuration(seed: 5, minutes: 8)
        world.faults = FaultSchedule([
            Fault(
                id: 0, kind: .hostPowerOff, target: FaultTarget(.host, "a-01"), start: .seconds(200),
                lease: .seconds(120))
        ])
        let report = try await World.run(world)
        #expect(report.violations.isEmpty, "\(report.violations)")
        let detection = try #require(report.detection[.hostPowerOff]?.first)
        // The lease ran out: 30 s after a renewal at most 5 s before, and a second for the look.
        #expect((24...32).contains(detection))
        #expect(try #require(report.repair[.hostPowerOff]?.first) < 10)
    }

    @Test("shims that let workloads run past their deadlines are found out")
    func plantedViolation() async throws {
        var world = configuration(seed: 6, minutes: 15)
        world.holdsFences = false
        world.faults = FaultSchedule(
            ["a-00", "a-01", "b-00", "b-01"].enumerated().map { index, host in
                Fault(
                    id: index, kind: .linkPartition, target: FaultTarget(.link, host),
                    start: .seconds(300 + 70 * index), lease: .seconds(300))
            })
        let report = try await World.run(world)
        #expect(report.violations.contains { $0.invariant == "invariant 5" })
        #expect(!report.lastEvents.isEmpty)
    }

    @Test("a clock that is set back keeps nobody from noticing that a host is gone")
    func clocksSetBack() async throws {
        var world = configuration(seed: 8, minutes: 10)
        var faults = (0..<3).map { index in
            Fault(
                id: index, kind: .clockOffset, target: FaultTarget(.controller, "c-\(index)"),
                parameters: FaultParameters(offsetSeconds: -3600), start: .seconds(120), lease: .seconds(400))
        }
        faults.append(
            Fault(
                id: 3, kind: .hostPowerOff, target: FaultTarget(.host, "b-02"), start: .seconds(200),
                lease: .seconds(120)))
        world.faults = FaultSchedule(faults)
        let report = try await World.run(world)
        #expect(report.violations.isEmpty, "\(report.violations)")
        #expect((24...32).contains(try #require(report.detection[.hostPowerOff]?.first)))
    }

    @Test("a clock that is behind does not hold back what crashed")
    func crashesUnderSetClocks() async throws {
        var world = configuration(seed: 10, minutes: 10)
        world.endsWithBody = true
        var faults = (0..<3).map { index in
            Fault(
                id: index, kind: .clockOffset, target: FaultTarget(.controller, "c-\(index)"),
                parameters: FaultParameters(offsetSeconds: -3600), start: .seconds(60), lease: .seconds(540))
        }
        faults += ["a-00", "a-01", "a-02", "a-03", "b-00", "b-01"].enumerated().map { index, host in
            Fault(
                id: 10 + index, kind: .vmCrashLoop, target: FaultTarget(.host, host), start: .seconds(300),
                lease: .seconds(20))
        }
        world.faults = FaultSchedule(faults)
        let statuses = Mutex<[VMStatus]>([])
        _ = try await World.run(world) { world in
            do {
                try await world.sleep(for: .seconds(420))
                let vms = try await world.store.all(.vm)
                let found = try vms.filter { $0.metadata.deletionTimestamp == nil }
                    .map { try JSONDecoder().decode(VMStatus.self, from: Data($0.status.utf8)) }
                statuses.withLock { $0 = found }
            } catch {
                Issue.record("\(error)")
            }
        }
        let restarted = statuses.withLock { $0.filter { $0.restarts > 0 } }
        #expect(!restarted.isEmpty && restarted.allSatisfy { $0.state == .running }, "\(restarted)")
    }

    @Test("an agent asks another controller than the one that stands still")
    func stalledController() async throws {
        var world = configuration(seed: 11, minutes: 10)
        world.faults = FaultSchedule([
            Fault(
                id: 0, kind: .controllerStall, target: FaultTarget(.controller, "c-1"),
                start: .seconds(200), lease: .seconds(240))
        ])
        world.endsWithBody = true
        let lost = Mutex<[String]>([])
        let report = try await World.run(world) { world in
            do {
                // The leases of hosts last half a minute.
                for _ in 0..<40 {
                    try await world.sleep(for: .seconds(10))
                    let found = try await world.store.hosts(.all).filter { $0.contact != .ready }.map(\.name)
                    lost.withLock { $0 += found }
                }
            } catch {
                Issue.record("\(error)")
            }
        }
        #expect(lost.withLock { $0 } == [] && report.violations.isEmpty)
    }

    @Test("faults of what a world has not are refused")
    func unknownTarget() async throws {
        var world = configuration(seed: 7, minutes: 1)
        world.faults = FaultSchedule([
            Fault(
                id: 0, kind: .agentCrash, target: FaultTarget(.agent, "nobody"), start: .seconds(1),
                lease: .seconds(1)),
            Fault(
                id: 1, kind: .deviceXID, target: FaultTarget(.host, "a-00"), start: .seconds(1),
                lease: .seconds(1)),
        ])
        let report = try await World.run(world)
        #expect(report.faultsInjected.isEmpty)
        #expect(report.violations.isEmpty)
    }
}
