import AgentProtocol
import Fleet
import Oversubscription

/// What an agent knows of use: a guard, open bins and untold notes of each host. A value: samples go in, what
/// is to be told and to be done comes out.
struct UsageState: Sendable {
    /// Bins of one report.
    static let binsPerReport = 20_000
    /// Notes of a host that wait to be told; a guard acts every few seconds at most.
    static let noteLimit = 100

    private struct Host {
        var nodeGuard: NodeGuard
        var bins: UsageBins
        var hostBins: HostBins
        var notes: [GuardNote] = []
        var signals: UsageSignals?
    }

    private let settings: GuardSettings
    private let binSeconds: Int
    private var hosts: [String: Host] = [:]
    /// Of the report under way: how much of each host it tells.
    private var telling: [String: (bins: Int, hostBins: Int, notes: Int)] = [:]

    /// - Parameter guards: of an earlier run, by host.
    init(_ settings: GuardSettings, binSeconds: Int, guards: [String: NodeGuard] = [:]) {
        self.settings = settings
        self.binSeconds = binSeconds
        for (name, nodeGuard) in guards {
            hosts[name] = Self.host(nodeGuard, binSeconds)
        }
    }

    private static func host(_ nodeGuard: NodeGuard, _ seconds: Int) -> Host {
        Host(
            nodeGuard: nodeGuard, bins: UsageBins(seconds: seconds), hostBins: HostBins(seconds: seconds))
    }

    /// What has to outlive the agent.
    var guards: [String: NodeGuard] { hosts.mapValues(\.nodeGuard) }

    /// Takes a sample of every host that could be measured; the others go without.
    ///
    /// - Parameters:
    ///   - now: of the samples, seconds since 1970: what guards go by.
    ///   - fleetNow: the same on the fleet clock, which bins go by; nil while that is not known, and then
    ///     nothing is gathered.
    /// - Returns: events by host, sorted by host.
    mutating func take(
        _ samples: [HostSample], now: Int, fleetNow: Int?
    ) -> [(host: String, event: GuardEvent)] {
        var events: [(host: String, event: GuardEvent)] = []
        for sample in samples {
            var host =
                hosts[sample.host]
                ?? Self.host(NodeGuard(settings), binSeconds)
            if let fleetNow {
                host.bins.add(sample.parts, at: fleetNow)
                host.hostBins.add(sample.signals, at: fleetNow)
            }
            host.signals = UsageSignals(sample.signals)
            for event in host.nodeGuard.observe(HostReading(sample), now: now) {
                host.notes.append(GuardNote(event, names: sample.names))
                events.append((sample.host, event))
            }
            hosts[sample.host] = host
        }
        let seen = Set(samples.map(\.host))
        for name in hosts.keys.sorted() where !seen.contains(name) {
            for event in hosts[name]?.nodeGuard.tick(now: now) ?? [] {
                hosts[name]?.notes.append(GuardNote(event, names: [:]))
                events.append((name, event))
            }
        }
        for name in hosts.keys {
            let excess = (hosts[name]?.notes.count ?? 0) - Self.noteLimit
            if excess > 0 { hosts[name]?.notes.removeFirst(excess) }
        }
        return events.sorted { $0.host < $1.host }
    }

    /// Takes what another guard did on hosts; of those that were never measured nothing is told.
    mutating func add(_ notes: [String: [GuardNote]]) {
        for (name, told) in notes { hosts[name]?.notes += told }
    }

    /// Quotas in force on a host, cores by part.
    func quotas(of host: String) -> [PartKey: Double] {
        let quotas = hosts[host]?.nodeGuard.standingQuotas ?? []
        return Dictionary(
            quotas.compactMap { quota in
                ID<Allocation>(quota.name).map { (PartKey(host: host, allocation: $0), quota.cores) }
            }, uniquingKeysWith: min)
    }

    /// The next report; nil when no host was ever measured.
    ///
    /// - Parameter measured: hosts of the latest sample. One that could not be measured is not told of, so
    ///   that it goes stale on the other side too.
    mutating func report(of measured: [String]) -> UsageRequest? {
        var left = Self.binsPerReport
        var told: [HostUsage] = []
        telling = [:]
        for name in measured.sorted() {
            guard let host = hosts[name], let signals = host.signals else { continue }
            let bins = Array(host.bins.ended.prefix(left))
            left -= bins.count
            let hostBins = host.hostBins.ended
            telling[name] = (bins.count, hostBins.count, host.notes.count)
            told.append(
                HostUsage(
                    name: name, rung: host.nodeGuard.rung.level, signals: signals, notes: host.notes,
                    bins: bins, hostBins: hostBins))
        }
        return told.isEmpty ? nil : UsageRequest(hosts: told)
    }

    /// The report was taken.
    mutating func reported() {
        for (name, told) in telling {
            hosts[name]?.bins.forget(told.bins)
            hosts[name]?.hostBins.forget(told.hostBins)
            let notes = hosts[name]?.notes ?? []
            hosts[name]?.notes = Array(notes.dropFirst(told.notes))
        }
        telling = [:]
    }
}

extension HostSample {
    /// Names of workloads by the names that the guard knows parts by.
    fileprivate var names: [String: String] {
        Dictionary(
            parts.map { part in
                let workload = part.directive.workload
                return (part.key.allocation.description, "\(workload.project)/\(workload.name)")
            }, uniquingKeysWith: { first, _ in first })
    }
}

extension HostReading {
    fileprivate init(_ sample: HostSample) {
        self.init(
            signals: sample.signals, cores: sample.cores,
            vms: sample.parts.map { part in
                GuardedVM(
                    name: part.key.allocation.description, promise: part.directive.promise,
                    cores: Double(part.directive.resources.milliCPU) / 1000, used: part.used,
                    memoryGiB: Double(part.directive.resources.memoryMiB) / 1024)
            })
    }
}

extension UsageSignals {
    fileprivate init(_ signals: HostSignals) {
        func share(_ value: Double) -> Double { value.isFinite ? min(1, max(0, value)) : 0 }
        self.init(
            use: share(signals.use), pressure: share(signals.pressure), steal: share(signals.steal),
            runDelay: share(signals.runDelay), guaranteedRunDelay: share(signals.guaranteedRunDelay))
    }
}

extension GuardRung {
    /// As it is told.
    var level: GuardLevel {
        switch self {
        case .observe: .observe
        case .freeze: .freeze
        case .throttle: .throttle
        case .migrate: .migrate
        case .evict: .evict
        case .page: .page
        }
    }
}
