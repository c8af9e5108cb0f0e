internal import AgentProtocol
internal import Fleet
internal import Foundation
public import Oversubscription
internal import Synchronization

/// Power of simulated racks: each is a row whose servers draw what a file says of them and follow what a guard
/// asks, as late as real ones would.
///
/// The file has lines `ROW SHARE`, of what a server is provisioned with; a row without a line draws half. More
/// servers than the row was provisioned for make it draw more than it may.
public final class SimulatedPower: PowerControl {
    private static let usualShare = 0.5

    private let substrate: SimulatedSubstrate
    private let servers: Int
    private let file: String
    private let settings: PowerSettings
    private let clock: any AgentClock
    private let states = Mutex<[String: PoweredRow]>([:])

    /// - Parameter servers: that each row was provisioned for, at least 1.
    public init(
        substrate: SimulatedSubstrate, servers: Int, file: String, settings: PowerSettings = .init(),
        clock: any AgentClock
    ) {
        self.substrate = substrate
        self.servers = servers
        self.file = file
        self.settings = settings
        self.clock = clock
    }

    public func rows() throws -> [RowReading] {
        let now = Int(clock.wallTime().seconds)
        let drawn = drawn()
        let busy = Set(
            try substrate.parts().filter { $0.state == .running && $0.directive.promise != .spot }
                .map(\.key.host))
        let racks = Dictionary(grouping: substrate.hosts()) { $0.inventory.domain.rack }
        return racks.sorted { $0.key < $1.key }.map { rack, hosts in
            let names = Dictionary(grouping: hosts.map(\.name)) { name -> PowerPriority in
                busy.contains(name) ? .high : .low
            }
            let row = states.withLock { states in
                var row = states[rack] ?? PoweredRow(clocks: .a100, gpuShare: 0.5)
                row.advance(to: now)
                states[rack] = row
                return row
            }
            let share = drawn[rack] ?? Self.usualShare
            let power = PowerPriority.allCases.reduce(0) { sum, priority in
                let count = Double(names[priority]?.count ?? 0)
                return sum + count * share * row.point(priority, brakeClock: settings.brakeClock).power
            }
            return RowReading(row: rack, power: power / Double(servers), hosts: names)
        }
    }

    public func send(_ commands: [PowerCommand], row: String) {
        states.withLock { $0[row, default: PoweredRow(clocks: .a100, gpuShare: 0.5)].send(commands) }
    }

    /// Shares by row; nothing while there is no such file.
    private func drawn() -> [String: Double] {
        guard let data = FileManager.default.contents(atPath: file) else { return [:] }
        let pairs = String(decoding: data, as: UTF8.self).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            return words.count == 2 ? Double(words[1]).map { (String(words[0]), max(0, $0)) } : nil
        }
        return Dictionary(pairs, uniquingKeysWith: { $1 })
    }
}
