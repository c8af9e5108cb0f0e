import AgentProtocol
import Fleet

/// A bin and the host that told of it.
struct UsageBinRow {
    var host: ID<Document>
    var bin: UsageBin
}

/// Names an hour of a VM.
struct UsageHourKey: Hashable {
    var vm: ID<Document>
    var start: Int
}

extension MemoryState {
    mutating func takeUsage(_ told: [HostUsage], session: ID<AgentSession>) throws -> [String] {
        let carried = Dictionary(
            uniqueKeysWithValues: (hostsOfSession[session] ?? []).compactMap { id in
                hosts[id].map { ($0.record.name, id) }
            })
        for host in told {
            guard let id = carried[host.name] else { continue }
            try take(host, id, session)
        }
        return Set(told.map(\.name).filter { carried[$0] == nil }).sorted()
    }

    private mutating func take(
        _ told: HostUsage, _ id: ID<Document>, _ session: ID<AgentSession>
    ) throws {
        guard let host = hosts[id]?.record else { return }
        let before = guards[id]
        let isHot = told.notes.contains { $0.cause == .hot }
        guards[id] = HostGuardRecord(
            host: id, at: now, rung: told.rung, isStale: false, actedAt: isHot ? now : before?.actedAt)
        if before?.rung != told.rung || before?.isStale == true {
            if before != nil || !told.rung.admits {
                try freeze(id, !told.rung.admits, GuardWords.condition(told.rung, at: now))
            }
            if before?.isStale == true {
                let message = "the host tells its use again"
                append(.aboutHost(host, .hostCalm, message, source: EventSource.agent(session)))
            }
        }
        for note in told.notes {
            append(.aboutHost(host, note.reason, note.message, source: EventSource.agent(session)))
        }
        take(asks: told.notes, of: host)
        let today = fleetTime(now).wholeSeconds / UsageLimit.secondsPerDay
        func isNear(_ start: Int) -> Bool { abs(start / UsageLimit.secondsPerDay - today) <= 1 }
        for bin in told.bins where isNear(bin.start) { usageBins.append(UsageBinRow(host: id, bin: bin)) }
        for bin in told.hostBins ?? [] where isNear(bin.start) {
            hostBins.append(HostBinRow(host: id, bin: bin))
        }
    }

    mutating func freezeSilentHosts(after silence: Duration) throws -> [ID<Document>] {
        let silent = guards.values.filter { row in
            !row.isStale && now.since(row.at) > silence && hosts[row.host]?.record.contact == .ready
        }.map(\.host).sorted()
        for id in silent {
            guard let host = hosts[id]?.record else { continue }
            guards[id]?.isStale = true
            try freeze(id, true, GuardWords.silence(at: now))
            append(.aboutHost(host, .telemetryStale, GuardWords.silent, source: EventSource.hosts))
        }
        return silent
    }

    /// Moves the host's row when that changes what it takes, and tells in its document.
    private mutating func freeze(_ id: ID<Document>, _ frozen: Bool, _ condition: Condition) throws {
        if hosts[id]?.record.frozen != frozen {
            hosts[id]?.record.frozen = frozen
            hosts[id]?.record.generation += 1
        }
        guard let row = hosts[id], var resource = documents[id] else { return }
        var status = status(of: resource, row: row)
        status.conditions.set(condition)
        resource.status = try DocumentJSON.encode(status)
        try record(.updated, of: &resource)
        documents.put(resource)
    }

    // MARK: Hours

    mutating func rollUpUsage(settle: Duration) -> Int {
        let end = fleetTime(now).advanced(by: .zero - settle).wholeSeconds / 3600 * 3600
        guard end > usageRolledTo else { return 0 }
        let rows = usageBins.filter { row in
            row.bin.start >= usageRolledTo && row.bin.start < end
                && allocations.matching(.workloads([row.bin.vm])).contains { $0.host == row.host }
        }
        let hours = Dictionary(grouping: rows) { row in
            UsageHourKey(vm: row.bin.vm, start: row.bin.start / 3600 * 3600)
        }
        for (key, rows) in hours {
            // A bin that came twice is one.
            let bins = Dictionary(grouping: rows) { UsageBinKey(host: $0.host, start: $0.bin.start) }
                .values.compactMap { $0.map(\.bin).max { $0.maxMilliCPU < $1.maxMilliCPU } }
            usageHours[key] = UsageHour(key, bins)
        }
        rollUpScopes(rows, until: end)
        usageRolledTo = end
        return hours.count
    }

    mutating func keepUsage(bins: Duration, hours: Duration, scopes: Duration) {
        let fleetNow = fleetTime(now)
        func oldest(_ age: Duration) -> Int {
            fleetNow.advanced(by: .zero - age).wholeSeconds / UsageLimit.secondsPerDay
                * UsageLimit.secondsPerDay
        }
        let (oldestBin, oldestHour, oldestScope) = (oldest(bins), oldest(hours), oldest(scopes))
        usageBins.removeAll { $0.bin.start < oldestBin }
        hostBins.removeAll { $0.bin.start < oldestBin }
        usageHours = usageHours.filter { $0.key.start >= oldestHour }
        scopeHourRows = scopeHourRows.filter { $0.key.start >= oldestScope }
        let yesterday = now.advanced(by: .seconds(-UsageLimit.secondsPerDay))
        guardAskRows = guardAskRows.filter { $0.value.closedAt.map { $0 >= yesterday } ?? true }
    }
}

private struct UsageBinKey: Hashable {
    var host: ID<Document>
    var start: Int
}

extension UsageHour {
    /// - Parameter bins: at least one.
    init(_ key: UsageHourKey, _ bins: [UsageBin]) {
        let sorted = bins.map(\.p90MilliCPU).sorted()
        // The first value of which nine tenths are not above.
        let rank = max(1, (sorted.count * 9 + 9) / 10)
        self.init(
            vm: key.vm, start: key.start, soldMilliCPU: bins.map(\.soldMilliCPU).max() ?? 0,
            meanMilliCPU: bins.map(\.meanMilliCPU).reduce(0, +) / max(1, bins.count),
            p90MilliCPU: sorted[rank - 1], maxMilliCPU: bins.map(\.maxMilliCPU).max() ?? 0,
            bins: bins.count)
    }
}

/// Bounds of what is kept of use.
package enum UsageLimit {
    package static let secondsPerDay = 86_400
    /// After an hour, before its bins are counted: agents tell of a bin when it has ended.
    package static let settleSeconds = 600
}

extension Timestamp {
    /// Seconds since 1970, rounded down.
    package var wholeSeconds: Int {
        Int((Double(microseconds) / 1_000_000).rounded(.down))
    }
}
