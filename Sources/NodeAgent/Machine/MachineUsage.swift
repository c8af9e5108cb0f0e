internal import AgentProtocol
internal import Fleet
internal import Foundation
internal import Oversubscription
internal import Shim
internal import Synchronization

/// Use of this machine and its processes, from `/proc`: what changed between two looks.
public final class MachineUsage: UsageSource {
    /// What the kernel counted so far.
    struct Counters: Equatable {
        /// Seconds since 1970.
        var at: Double
        /// Of all processors, in ticks.
        var busy = 0
        var steal = 0
        var total = 0
        /// Microseconds in which some task waited; nil on a kernel without pressure stall information.
        var waited: Int?
        /// Nanoseconds that tasks spent on run queues, and ran.
        var delay = 0
        var ran = 0
        /// Ticks by process group.
        var groups: [Int32: Int] = [:]
    }

    /// `USER_HZ`, the unit of times in `/proc`, which Linux fixes at 100 for user space.
    private static let ticksPerSecond = 100.0

    private let host: String
    private let substrate: ProcessSubstrate?
    private let files: SystemFiles
    private let clock: any AgentClock
    private let latest = Mutex<Counters?>(nil)

    /// - Parameters:
    ///   - substrate: whose parts are told; nil tells of the machine alone.
    ///   - root: directory that holds `proc`; empty for the machine's own.
    public init(
        host: String, substrate: ProcessSubstrate?, clock: any AgentClock, root: String = ""
    ) {
        self.host = host
        self.substrate = substrate
        self.clock = clock
        files = SystemFiles(root: root)
    }

    public func sample() async throws -> [HostSample] {
        let parts = try substrate?.parts().filter { $0.state == .running } ?? []
        let counters = read()
        let before = latest.withLock { latest in
            defer { latest = counters }
            return latest
        }
        guard let before, counters.at > before.at, counters.total > before.total else { return [] }
        let seconds = counters.at - before.at
        let samples = parts.compactMap { part -> PartSample? in
            guard let group = substrate?.processGroup(of: part.key.allocation),
                let after = counters.groups[group]
            else { return nil }
            // A process that ended takes its ticks along: use is never below nothing.
            let ticks = max(0, after - (before.groups[group] ?? after))
            return PartSample(
                key: part.key, directive: part.directive,
                used: Double(ticks) / Self.ticksPerSecond / seconds)
        }
        return [
            HostSample(
                host: host, cores: Double(max(1, ProcessInfo.processInfo.activeProcessorCount)),
                signals: Self.signals(before, counters), parts: samples)
        ]
    }

    static func signals(_ before: Counters, _ after: Counters) -> HostSignals {
        let ticks = Double(max(1, after.total - before.total))
        let seconds = max(0.001, after.at - before.at)
        let delay = Double(max(0, after.delay - before.delay))
        let ran = Double(max(0, after.ran - before.ran))
        let waited = (after.waited ?? 0) - (before.waited ?? 0)
        return HostSignals(
            at: Int(after.at), use: Double(max(0, after.busy - before.busy)) / ticks,
            pressure: min(1, Double(max(0, waited)) / 1_000_000 / seconds),
            steal: Double(max(0, after.steal - before.steal)) / ticks,
            runDelay: delay + ran > 0 ? delay / (delay + ran) : 0)
    }

    func read() -> Counters {
        var counters = Counters(at: clock.wallTime().seconds)
        if let line = files.text("proc/stat")?.split(separator: "\n").first {
            let ticks = line.split(separator: " ").dropFirst().compactMap { Int($0) }
            // user nice system idle iowait irq softirq steal; guests are within user.
            if ticks.count >= 8 {
                counters.total = ticks[..<8].reduce(0, +)
                counters.steal = ticks[7]
                counters.busy = counters.total - ticks[3] - ticks[4] - ticks[7]
            }
        }
        counters.waited = files.text("proc/pressure/cpu").flatMap(Self.waited)
        for line in (files.text("proc/schedstat") ?? "").split(separator: "\n")
        where line.hasPrefix("cpu") {
            let fields = line.split(separator: " ").compactMap { Int($0) }
            guard fields.count >= 9 else { continue }
            counters.ran += fields[6]
            counters.delay += fields[7]
        }
        if substrate != nil { counters.groups = groups() }
        return counters
    }

    /// `total` of the `some` line, microseconds.
    private static func waited(_ text: String) -> Int? {
        text.split(separator: "\n").first { $0.hasPrefix("some") }?
            .split(separator: " ").first { $0.hasPrefix("total=") }
            .flatMap { Int($0.dropFirst("total=".count)) }
    }

    /// Ticks of all processes by their group: a part's processes are one.
    private func groups() -> [Int32: Int] {
        var groups: [Int32: Int] = [:]
        // why `try?`: a machine without /proc has no groups.
        for name in (try? files.entries("proc")) ?? [] where Int32(name) != nil {
            guard let text = files.text("proc/\(name)/stat"), let end = text.lastIndex(of: ")") else {
                continue
            }
            // From the state on: a name may hold spaces and parentheses.
            let fields = text[text.index(after: end)...].split(separator: " ")
            guard fields.count > 12, let group = Int32(fields[2]), let user = Int(fields[11]),
                let system = Int(fields[12])
            else { continue }
            groups[group, default: 0] += user + system
        }
        return groups
    }
}

extension ProcessSubstrate {
    /// The group of a part's processes, named by the first; nil before it runs.
    fileprivate func processGroup(of allocation: ID<Allocation>) -> Int32? {
        let path = "\(layout.part(allocation))/\(PartFiles.process)"
        return FileManager.default.contents(atPath: path)
            .flatMap { ProcessRecord(String(decoding: $0, as: UTF8.self)) }?.command.processID
    }
}
