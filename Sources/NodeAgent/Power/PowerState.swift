import AgentProtocol
import Fleet
internal import Foundation
import Oversubscription

/// The guards of rows, and what they did that is still to be told. A value: readings go in, commands come out.
struct PowerState: Sendable {
    /// Notes of a host that wait to be told; beyond it the oldest are given up.
    static let noteLimit = 100

    private let settings: PowerSettings
    private(set) var guards: [String: PowerGuard]
    private var notes: [String: [GuardNote]] = [:]

    /// - Parameter guards: of an earlier run, by row.
    init(_ settings: PowerSettings, guards: [String: PowerGuard] = [:]) {
        self.settings = settings
        self.guards = guards
    }

    /// - Parameter now: seconds, not less than in the call before.
    mutating func take(_ reading: RowReading, now: Int) -> [PowerCommand] {
        var powerGuard = guards[reading.row] ?? PowerGuard(settings)
        let commands = powerGuard.observe(power: reading.power, at: now)
        guards[reading.row] = powerGuard
        for command in commands {
            for host in command.hosts(of: reading).sorted() { note(command, reading.row, host, now) }
        }
        return commands
    }

    /// What waits to be told, by host; it is told once.
    mutating func takeNotes() -> [String: [GuardNote]] {
        defer { notes = [:] }
        return notes
    }

    private mutating func note(_ command: PowerCommand, _ row: String, _ host: String, _ now: Int) {
        var waiting = notes[host] ?? []
        waiting.append(
            GuardNote(
                at: Timestamp(seconds: Double(now)), before: .observe, after: .observe,
                // Not heat of the cores: what sells them is not to learn from it.
                cause: command.isRelief ? .calm : .regulation, message: command.sentence(row, settings)))
        notes[host] = waiting.suffix(Self.noteLimit)
    }
}

extension PowerCommand {
    fileprivate func hosts(of reading: RowReading) -> [String] {
        switch action {
        case .clock(let priority, _): reading.hosts[priority] ?? []
        case .brake: reading.hosts.values.flatMap(\.self)
        }
    }

    fileprivate var isRelief: Bool {
        switch action {
        case .clock(_, let megahertz): megahertz == nil
        case .brake(let isOn): !isOn
        }
    }

    /// `holds GPUs to 1275 MHz from 40 s on: row zone-0-rack-0 draws 82 % of its power (limit 80 %)`.
    fileprivate func sentence(_ row: String, _ settings: PowerSettings) -> String {
        let seconds = effectiveAt - issuedAt
        let deed =
            switch action {
            case .clock(_, let megahertz?): "holds GPUs to \(Int(megahertz)) MHz \(seconds) s from now on"
            case .clock(_, nil): "lets GPUs go as fast as they can \(seconds) s from now on"
            case .brake(true): "brakes all GPUs \(seconds) s from now on"
            case .brake(false): "lets the brake go \(seconds) s from now on"
            }
        let limits = [settings.first, settings.second, settings.brake]
            .map { String(format: "%.0f", $0 * 100) }.joined(separator: ", ")
        let drawn = String(format: "%.1f %%", power * 100)
        return "\(deed): row \(row) draws \(drawn) of its power (limits \(limits) %; \(before) to \(after))"
    }
}
