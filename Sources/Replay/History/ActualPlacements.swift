internal import Fleet

/// What really happened on the hosts of a fleet, measured as policies are.
public struct ActualPlacements: Sendable, Hashable, Encodable {
    /// Beside the names of policies.
    public let policy = "actual"
    /// As in `PolicyResult`.
    public let emptyHostsPct: Double
    public let densityPct: Double
    /// VMs that started in the window.
    public let placed: Int

    private enum CodingKeys: String, CodingKey { case policy, emptyHostsPct, densityPct, placed }

    /// - Parameter options: of the experiment beside which it stands; its times are those of `history.trace`.
    public init(_ history: FleetHistory, options: VMExperiment.Options) {
        let start = Int64(options.warmUpSeconds) * PolicyRun.microsecondsPerSecond
        let end =
            options.untilSeconds.map { Int64($0) * PolicyRun.microsecondsPerSecond } ?? history.lastArrival
        var use = HostUse(history)
        var (empty, density, count, busy) = (0.0, 0.0, 0, 0)
        for time in stride(
            from: start, through: end, by: options.sampleStepSeconds * Int(PolicyRun.microsecondsPerSecond))
        {
            use.advance(through: time)
            count += 1
            empty += use.emptyShare
            if let share = use.density {
                density += share
                busy += 1
            }
        }
        emptyHostsPct = Self.percent(empty, count)
        densityPct = Self.percent(density, busy)
        placed = history.vms.count {
            (start...max(start, end)).contains($0.startedAt.since(history.origin).microseconds)
        }
    }

    private static func percent(_ sum: Double, _ count: Int) -> Double {
        count == 0 ? 0 : (sum / Double(count) * 1_000_000).rounded() / 10_000
    }
}

extension FleetHistory {
    fileprivate var lastArrival: Int64 { vms.last.map { $0.startedAt.since(origin).microseconds } ?? 0 }
}

/// How much of each host was taken, as time goes on. Stays on hosts that are gone count nowhere.
private struct HostUse {
    private struct Event {
        var time: Int64
        var host: Int
        var milliCPU: Int
        var vms: Int
    }

    private let events: [Event]
    private let capacities: [Int]
    private var next = 0
    private var vms: [Int]
    private var used: [Int]

    init(_ history: FleetHistory) {
        let numbers = Dictionary(
            history.hosts.enumerated().map { ($0.element.name, $0.offset) },
            uniquingKeysWith: { first, _ in first })
        var events: [Event] = []
        for vm in history.vms {
            for stay in vm.stays {
                guard let host = numbers[stay.host] else { continue }
                let (from, milliCPU) = (
                    stay.from.since(history.origin).microseconds, vm.resources.milliCPU
                )
                events.append(.init(time: from, host: host, milliCPU: milliCPU, vms: 1))
                guard let until = stay.until else { continue }
                let to = max(from, until.since(history.origin).microseconds)
                events.append(.init(time: to, host: host, milliCPU: -milliCPU, vms: -1))
            }
        }
        self.events = events.sorted { ($0.time, $0.vms, $0.host) < ($1.time, $1.vms, $1.host) }
        capacities = history.hosts.map(\.usable.milliCPU)
        vms = Array(repeating: 0, count: capacities.count)
        used = vms
    }

    mutating func advance(through time: Int64) {
        while next < events.count, events[next].time <= time {
            let event = events[next]
            vms[event.host] += event.vms
            used[event.host] += event.milliCPU
            next += 1
        }
    }

    var emptyShare: Double {
        vms.isEmpty ? 0 : Double(vms.count { $0 <= 0 }) / Double(vms.count)
    }

    /// Nil while every host is empty.
    var density: Double? {
        let busy = vms.indices.filter { vms[$0] > 0 }
        let capacity = busy.reduce(0) { $0 + capacities[$1] }
        guard capacity > 0 else { return nil }
        return Double(busy.reduce(0) { $0 + used[$1] }) / Double(capacity)
    }
}
