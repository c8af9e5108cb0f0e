internal import AgentProtocol
internal import Fleet
internal import Foundation
internal import Oversubscription
internal import Synchronization

/// Use of simulated VMs: each repeats a line of a trace, and where they want more cores than the host has,
/// all wait alike.
///
/// A noisy neighbour is a line `HOST CORES` of a file that may come and go: spot VMs of the host want so many
/// cores more, as far as they have them, or the host itself does where it has none.
public final class SimulatedUsage: UsageSource, UsageThrottle {
    private let substrate: SimulatedSubstrate
    private let trace: UsageTraceFile
    private let noiseFile: String
    /// Seconds of the trace per second.
    private let speed: Double
    private let clock: any AgentClock
    private let quotas = Mutex<[PartKey: Double]>([:])

    public init(
        substrate: SimulatedSubstrate, trace: UsageTraceFile, noiseFile: String, speed: Double = 1,
        clock: any AgentClock
    ) {
        self.substrate = substrate
        self.trace = trace
        self.noiseFile = noiseFile
        self.speed = speed
        self.clock = clock
    }

    public func setQuotas(_ quotas: [PartKey: Double], host: String) {
        self.quotas.withLock { held in
            held = held.filter { $0.key.host != host }.merging(quotas) { $1 }
        }
    }

    public func sample() async throws -> [HostSample] {
        let now = clock.wallTime().seconds
        let noise = noise()
        let running = try substrate.parts().filter { $0.state == .running }
        let parts = Dictionary(grouping: running, by: \.key.host)
        return substrate.hosts().map { host in
            sample(host, parts[host.name] ?? [], noise: noise[host.name] ?? 0, now: now)
        }
    }

    private func sample(
        _ host: InventoriedHost, _ parts: [RuntimePart], noise: Double, now: Double
    ) -> HostSample {
        let inventory = host.inventory
        let cores = Double(inventory.capacity.milliCPU - inventory.reserved.milliCPU) / 1000
        let held = quotas.withLock { $0 }
        let spot = parts.filter { $0.directive.promise == .spot }
        let wanted = parts.map { part in
            let sold = Double(part.directive.resources.milliCPU) / 1000
            var cores = sold * trace.share(vm: Self.number(part.directive), at: now * speed)
            if part.directive.promise == .spot { cores += noise / Double(spot.count) }
            return min(cores, sold, held[part.key] ?? .infinity)
        }
        let total = wanted.reduce(0, +) + (spot.isEmpty ? noise : 0)
        // Who gets less than it wants waits for the rest of the time.
        let part = total > cores ? cores / total : 1
        let signals = HostSignals(
            at: Int(now), use: cores > 0 ? min(1, total / cores) : 0, pressure: min(1, 2 * (1 - part)),
            runDelay: 1 - part, guaranteedRunDelay: 1 - part)
        return HostSample(
            host: host.name, cores: cores, signals: signals,
            parts: zip(parts, wanted).map {
                PartSample(key: $0.key, directive: $0.directive, used: $1 * part)
            })
    }

    /// Extra cores by host; nothing while there is no such file.
    private func noise() -> [String: Double] {
        guard let data = FileManager.default.contents(atPath: noiseFile) else { return [:] }
        let pairs = String(decoding: data, as: UTF8.self).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            return words.count == 2 ? Double(words[1]).map { (String(words[0]), max(0, $0)) } : nil
        }
        return Dictionary(pairs, uniquingKeysWith: { $1 })
    }

    /// The same for a VM wherever it runs.
    private static func number(_ directive: PartDirective) -> UInt64 {
        directive.workload.uid.description.utf8.reduce(0xcbf2_9ce4_8422_2325) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01b3
        }
    }
}
