import AgentProtocol
import Fleet
import Foundation
import Logging
@testable import NodeAgent
import Oversubscription
import Testing

/// Rows that are kept within their power by an agent.
@Suite("Power")
struct PowerTests {
    private let clock = ManualClock()
    private static let row = "zone-0-rack-0"

    /// Thirteen servers on a row that was provisioned for ten, one of which has something to do that counts.
    private func control(_ directory: TemporaryDirectory) throws -> SimulatedPower {
        let substrate = try SimulatedSubstrate.open(
            directory: directory.path, spec: fleet(count: 13), clock: clock)
        for number in 1...2 {
            var order = directive(number)
            order.class = number == 1 ? .standard : .spot
            try substrate.start(PartStart(key: key("sim-0\(number)", number), directive: order))
        }
        clock.advance(.seconds(1))
        substrate.advance()
        return SimulatedPower(
            substrate: substrate, servers: 10, file: directory.path + "/power", clock: clock)
    }

    /// Looks every two seconds.
    private func run(
        _ state: inout PowerState, _ control: SimulatedPower, seconds: Int
    ) throws -> [PowerCommand] {
        var all: [PowerCommand] = []
        for _ in 0..<(seconds / 2) {
            clock.advance(.seconds(2))
            for reading in try control.rows() {
                let commands = state.take(reading, now: Int(clock.wallTime().seconds))
                control.send(commands, row: reading.row)
                all += commands
            }
        }
        return all
    }

    private func power(_ control: SimulatedPower) throws -> Double {
        try #require(try control.rows().first).power
    }

    @Test("A row above its limits is slowed from the low priority up, and let go when it cools")
    func rungs() throws {
        let directory = try TemporaryDirectory()
        let control = try control(directory)
        var state = PowerState(.init())
        let reading = try #require(try control.rows().first)
        #expect(reading.row == Self.row && abs(reading.power - 0.65) < 1e-9)
        #expect(reading.hosts[.high] == ["sim-01"] && reading.hosts[.low]?.count == 12)
        #expect(try run(&state, control, seconds: 10).isEmpty)

        // 13 · 0.64 of ten servers' power.
        try directory.write("\(Self.row) 0.64\n", to: "power")
        let slowed = try run(&state, control, seconds: 60)
        #expect(slowed.map(\.action) == [.clock(.low, megahertz: 1275)])
        #expect(try power(control) < 0.832 && power(control) > 0.75)
        // 91 %, and slowed less than that is too much still.
        try directory.write("\(Self.row) 0.75\n", to: "power")
        let lower = try run(&state, control, seconds: 120)
        #expect(lower.first?.action == .clock(.low, megahertz: 1110))
        #expect(!lower.contains { $0.action == .brake(true) })
        let told = state.takeNotes()
        #expect(
            told["sim-02"]?.count == lower.count + 1
                - lower.count { $0.action == .clock(.high, megahertz: 1305) })
        let first = try #require(told["sim-02"]?.first)
        #expect(first.cause == .regulation && first.message.contains("1275 MHz 40 s from now on"))
        #expect(first.message.contains("row \(Self.row) draws 83.2 %"))
        #expect(told["sim-01"]?.first?.message.contains("1275") != true)

        try directory.write("\(Self.row) 0.4\n", to: "power")
        let free = try run(&state, control, seconds: 300)
        #expect(free.contains { $0.action == .clock(.low, megahertz: nil) })
        #expect(state.guards[Self.row]?.rung == .free)
        #expect(abs(try power(control) - 0.52) < 1e-9)
        #expect(state.takeNotes()["sim-02"]?.last?.cause == .calm)
    }

    @Test("A leap above the power is braked within seven seconds, on every host")
    func brake() throws {
        let directory = try TemporaryDirectory()
        let control = try control(directory)
        var state = PowerState(.init())
        _ = try run(&state, control, seconds: 10)
        try directory.write("\(Self.row) 0.9\n", to: "power")
        let commands = try run(&state, control, seconds: 2)
        #expect(commands.contains { $0.action == .brake(true) && $0.effectiveAt - $0.issuedAt == 5 })
        _ = try run(&state, control, seconds: 6)
        #expect(try power(control) < 0.8)
        #expect(Set(state.takeNotes().keys).count == 13)
    }

    @Test("Who comes back knows what was slowed, and says it again")
    func restart() throws {
        let directory = try TemporaryDirectory()
        let control = try control(directory)
        var state = PowerState(.init())
        try directory.write("\(Self.row) 0.64\n", to: "power")
        _ = try run(&state, control, seconds: 60)
        let kept = try JSONDecoder().decode(
            [String: PowerGuard].self, from: JSONEncoder().encode(state.guards))
        let again = try #require(kept[Self.row]).standing(at: 7)
        #expect(
            again.map(\.action) == [
                .brake(false), .clock(.low, megahertz: 1275), .clock(.high, megahertz: nil),
            ])
        // Servers that forgot are slowed anew.
        let other = try TemporaryDirectory()
        try other.write("\(Self.row) 0.64\n", to: "power")
        let forgetful = try self.control(other)
        forgetful.send(again, row: Self.row)
        clock.advance(.seconds(60))
        #expect(try power(forgetful) < 0.82)
        var later = PowerState(.init(), guards: kept)
        #expect(try run(&later, forgetful, seconds: 60).isEmpty)
    }

    @Test("A watch measures, slows and keeps what it did")
    func watch() async throws {
        let directory = try TemporaryDirectory()
        let control = try control(directory)
        try directory.write("\(Self.row) 0.64\n", to: "power")
        let file = directory.path + "/power.json"
        let watch = PowerWatch(
            configuration: .init(guardFile: file), control: control, clock: clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await watch.run() }
            var told: [String: [GuardNote]] = [:]
            for _ in 0..<1000 where told.isEmpty {
                clock.advance(.seconds(2))
                try await Task.sleep(for: .milliseconds(2))
                told = watch.takeNotes()
            }
            #expect(told["sim-02"]?.first?.message.contains("1275 MHz") == true)
            group.cancelAll()
            try await group.waitForAll()
        }
        let kept = try JSONDecoder().decode(
            [String: PowerGuard].self, from: Data(contentsOf: URL(filePath: file)))
        #expect(kept[Self.row]?.rung == .low)
    }
}
