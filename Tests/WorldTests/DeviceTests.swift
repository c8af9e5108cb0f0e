import FaultLab
import Fleet
import Store
import Testing

@testable import World

/// Devices that fail in a world: the product's own model judges them, and the ledger acts on it.
@Suite struct DeviceTests {
    private func health(_ world: World, _ host: String) async throws -> [Device.Health] {
        try #require(try await world.store.hosts(.all).first { $0.name == host }).devices.map(\.health)
    }

    @Test func `what a kernel says takes its device out of use, over restarts of agents`() async throws {
        _ = try await World.run(ProblemFleet.configuration(seed: 1)) { world in
            do {
                try await world.sleep(for: .seconds(60))
                let machine = try #require(world.machines.first { $0.name.hasDevices })
                let host = machine.name.host
                let sound = [Device.Health](repeating: .healthy, count: 8)
                #expect(try await health(world, host) == sound)
                let fault = Fault(
                    id: 1, kind: .deviceXID, target: FaultTarget(.device, "\(host)/2"),
                    parameters: FaultParameters(value: "79"), start: .zero, lease: .seconds(600))
                let lines = try #require(fault.kernelLines)
                machine.say(lines.begin)
                try await world.sleep(for: .seconds(30))
                var failed = sound
                failed[2] = .failed
                #expect(try await health(world, host) == failed)
                let events = try await world.store.events(EventQuery(kind: .host, name: host))
                #expect(events.contains { $0.reason == .deviceFailed })
                // In a world a person decides: the host stays.
                #expect(events.contains { $0.reason == .repairHeld })
                let row = try #require(try await world.store.hosts(.all).first { $0.name == host })
                #expect(!row.cordoned && !row.draining)
                machine.crashAgent(until: world.clock.now + 20_000_000)
                try await world.sleep(for: .seconds(60))
                #expect(try await health(world, host) == failed)
                machine.say(lines.end)
                try await world.sleep(for: .seconds(30))
                #expect(try await health(world, host) == sound)
            } catch {
                Issue.record("\(error)")
            }
        }
    }
}
