public import AgentProtocol
public import Fleet
internal import FoundationEssentials
internal import PostgresClient

extension PostgresStore {
    public func takeUsage(_ hosts: [HostUsage], session: ID<AgentSession>) async throws -> [String] {
        // Of a host that is named twice the last words count, and all of its bins.
        let last = Dictionary(hosts.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        let words = try hosts.filter { last[$0.name] == $0 }.map { host in
            var host = host
            host.bins = []
            host.hostBins = nil
            return String(decoding: try JSONEncoder().encode(host), as: UTF8.self)
        }
        let parameters: [any PostgresEncodable] = [
            session.uuid, JSONText("[\(words.joined(separator: ","))]"),
        ]
        let taken =
            hosts.allSatisfy { $0.bins.isEmpty && $0.hostBins?.isEmpty ?? true }
            ? try Self.taken(try await read(Self.takeStatement, parameters))
            : try await take(hosts, parameters)
        // Only what moves a host is news to readers of the feed; most reports move nothing.
        if taken.isMoved { committed() }
        return Set(hosts.map(\.name)).subtracting(taken.ids.keys).sorted()
    }

    /// The words and then the bins, in one transaction.
    private func take(
        _ hosts: [HostUsage], _ parameters: [any PostgresEncodable]
    ) async throws -> TakenUsage {
        do {
            return try await pool.withTransaction(name: "usage_take") { connection in
                let taken = try Self.taken(try await connection.query(Self.takeStatement, parameters))
                let rows = taken.rows(of: hosts)
                if !rows.isEmpty {
                    _ = try await connection.copyIn(
                        "COPY usage_bin (host, vm, start, sold, mean, p90, max) FROM STDIN", rows: rows)
                }
                let hostRows = taken.hostRows(of: hosts)
                if !hostRows.isEmpty {
                    _ = try await connection.copyIn(
                        "COPY usage_host_bin (host, start, samples, hot) FROM STDIN", rows: hostRows)
                }
                return taken
            }
        } catch let error as PostgresError {
            throw StoreError(error)
        }
    }

    private static func taken(_ rows: [PostgresRow]) throws -> TakenUsage {
        guard let row = rows.first else { throw StoreError.corrupt("use without an answer") }
        let names = try row.decode("o_names", as: [String]?.self) ?? []
        let ids = try row.decode("o_ids", as: [UUID]?.self) ?? []
        return TakenUsage(
            now: try row.decode("o_now"), ids: Dictionary(zip(names, ids), uniquingKeysWith: { $1 }),
            isMoved: try row.decode("o_moved"))
    }

    public func freezeSilentHosts(after silence: Duration) async throws -> [ID<Document>] {
        let row = try await read(Self.silentStatement, [silence.interval]).first
        let hosts = try row?.decode("hosts", as: [UUID].self).map { ID<Document>($0) } ?? []
        if !hosts.isEmpty { committed() }
        return hosts
    }

    public func hostGuards() async throws -> [HostGuardRecord] {
        try await read(Self.guardsStatement).map { row in
            let rung: String = try row.decode("rung")
            return HostGuardRecord(
                host: try row.id("host"), at: try row.timestamp("at"),
                // A rung of a later version is at least a freeze.
                rung: GuardLevel(rawValue: rung) ?? .freeze, isStale: try row.decode("stale"),
                actedAt: try row.optionalTimestamp("acted_at"))
        }
    }

    public func rollUpUsage(settle: Duration) async throws -> Int {
        let seconds = Int(settle.components.seconds)
        return try await read(Self.rollStatement, [seconds]).first?.decode("hours") ?? 0
    }

    public func keepUsage(bins: Duration, hours: Duration, scopes: Duration) async throws {
        _ = try await read(Self.keepUsageStatement, [bins.interval, hours.interval, scopes.interval])
    }

    public func usageBins(vm: ID<Document>, since: Timestamp) async throws -> [UsageBin] {
        try await read(Self.binsStatement, [vm.uuid, since.wholeSeconds]).map { row in
            UsageBin(
                vm: vm, start: try row.decode("start"), soldMilliCPU: try row.decode("sold"),
                meanMilliCPU: try row.decode("mean"), p90MilliCPU: try row.decode("p90"),
                maxMilliCPU: try row.decode("max"))
        }
    }

    public func usageHours(vms: [ID<Document>], since: Timestamp) async throws -> [UsageHour] {
        try await read(Self.hoursStatement, [vms.map(\.uuid), since.wholeSeconds]).map { row in
            UsageHour(
                vm: try row.id("vm"), start: try row.decode("start"), soldMilliCPU: try row.decode("sold"),
                meanMilliCPU: try row.decode("mean"), p90MilliCPU: try row.decode("p90"),
                maxMilliCPU: try row.decode("max"), bins: try row.decode("bins"))
        }
    }

    private static let takeStatement = Statement(
        name: "usage_take", sql: "SELECT o_now, o_names, o_ids, o_moved FROM usage_take_2($1, $2::jsonb)")
    private static let silentStatement = Statement(
        name: "usage_silent", sql: "SELECT usage_silent_1($1::interval) AS hosts")
    private static let guardsStatement = Statement(
        name: "host_guards", sql: "SELECT host, at, rung, stale, acted_at FROM host_guard ORDER BY host")
    private static let rollStatement = Statement(
        name: "usage_roll", sql: "SELECT usage_roll_2($1) AS hours")
    private static let keepUsageStatement = Statement(
        name: "usage_keep", sql: "SELECT usage_keep_2($1::interval, $2::interval, $3::interval)")
    private static let binsStatement = Statement(
        name: "usage_bins",
        sql: """
            SELECT DISTINCT start, sold::bigint, mean::bigint, p90::bigint, max::bigint FROM usage_bin
            WHERE vm = $1 AND start >= $2 ORDER BY start, max
            """)
    private static let hoursStatement = Statement(
        name: "usage_hours",
        sql: """
            SELECT vm, start, sold::bigint, mean::bigint, p90::bigint, max::bigint, bins::bigint FROM usage_hour
            WHERE vm = ANY ($1) AND start >= $2 ORDER BY vm, start
            """)
}

/// What came of the words of a report.
private struct TakenUsage {
    /// Seconds since 1970, by the fleet clock.
    var now: Int
    /// Hosts that the session carries, by name.
    var ids: [String: UUID]
    var isMoved: Bool

    private func hasPartition(_ start: Int) -> Bool {
        abs(start / UsageLimit.secondsPerDay - now / UsageLimit.secondsPerDay) <= 1
    }

    /// Lines for the bins of the hosts themselves.
    func hostRows(of hosts: [HostUsage]) -> [CopyRow] {
        hosts.flatMap { host -> [CopyRow] in
            guard let id = ids[host.name]?.uuidString else { return [] }
            return (host.hostBins ?? []).filter { hasPartition($0.start) }.map { bin in
                CopyRow([id, String(bin.start), String(bin.samples), String(bin.hotSamples)])
            }
        }
    }

    /// Lines for the bins of those hosts, of days that have a partition.
    func rows(of hosts: [HostUsage]) -> [CopyRow] {
        hosts.flatMap { host -> [CopyRow] in
            guard let id = ids[host.name]?.uuidString else { return [] }
            return host.bins.compactMap { bin in
                guard hasPartition(bin.start) else { return nil }
                return CopyRow([
                    id, bin.vm.description, String(bin.start), String(bin.soldMilliCPU),
                    String(bin.meanMilliCPU), String(bin.p90MilliCPU), String(bin.maxMilliCPU),
                ])
            }
        }
    }
}
