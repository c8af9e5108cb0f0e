internal import Fleet
internal import Oversubscription
internal import Store

/// VMs of a scope, hour by hour, packed by what they used in the first half of a span and judged by the
/// second.
struct WhatIfPacking {
    /// Each half has a day at least.
    private static let leastHours = 48
    private static let policies: [(name: String, policy: PackingPolicy)] = [
        ("static:1", .ratio(1)), ("static:1.5", .ratio(1.5)), ("static:2", .ratio(2)),
        ("static:3", .ratio(3)),
        ("max", .percentile(1)), ("p99", .percentile(0.99)), ("p95", .percentile(0.95)),
        ("window:6x4h:max", .windows(6, percentile: 1)),
    ]

    /// Of each VM, in the order in which they are placed.
    let cores: [Double]
    /// Of a host, mean of the scope's.
    let hostCores: Double
    private let used: [[Double]]

    /// - Parameters:
    ///   - vms: in the order in which they are placed; one twice counts once.
    ///   - sold: cores of each.
    ///   - hours: since 1970; what nobody saw of them counts as all that was sold.
    init(
        vms: [ID<Document>], sold: [ID<Document>: Double], told: [UsageHour], hours: Range<Int>,
        hostCores: [Double]
    ) {
        let byVM = Dictionary(grouping: told, by: \.vm)
        var seen: Set<ID<Document>> = []
        let known = vms.filter { byVM[$0] != nil && seen.insert($0).inserted }
        // Before the first hour that anybody was seen in there is nothing to pack by.
        let first = told.map { $0.start / 3600 }.min().map { max($0, hours.lowerBound) } ?? hours.upperBound
        let from = (first + 23) / 24 * 24
        cores = known.map { sold[$0] ?? 0 }
        self.hostCores = hostCores.isEmpty ? 0 : hostCores.reduce(0, +) / Double(hostCores.count)
        used = known.map { vm in
            let cores = sold[vm] ?? 0
            let peaks = Dictionary(
                (byVM[vm] ?? []).map { ($0.start / 3600, Double($0.p90MilliCPU) / 1000) },
                uniquingKeysWith: max)
            var last = cores
            return (min(from, hours.upperBound)..<hours.upperBound).map { hour in
                last = peaks[hour].map { min($0, cores) } ?? last
                return last
            }
        }
    }

    /// One per policy; none where a half is shorter than a day, or there is no VM or host.
    var points: [WhatIfStatement.PackingPoint] {
        let hours = used.first?.count ?? 0
        guard hours >= Self.leastHours, hostCores > 0 else { return [] }
        let known = hours / 2 / 24 * 24
        let history = used.map { Array($0[..<known]) }
        let test = used.map { Array($0[known...]) }
        var plain: Int?
        return Self.policies.map { name, policy in
            let demands = policy.demands(cores: cores, histories: history, stepsPerDay: 24)
            var packing = HostPacking(policy.room(cores: hostCores))
            for vm in cores.indices { packing.place(vm, demands[vm]) }
            let outcome = PackingOutcome(
                members: packing.members, cores: cores, hostCores: hostCores, used: test)
            let without = plain ?? outcome.hosts
            plain = without
            return WhatIfStatement.PackingPoint(
                policy: name, hosts: outcome.hosts, savedShare: 1 - Double(outcome.hosts) / Double(without),
                hotShare: outcome.hotHostSampleRate, unmetShare: outcome.unmetCoreFraction)
        }
    }
}
