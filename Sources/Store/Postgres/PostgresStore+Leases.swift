public import Fleet
internal import FoundationEssentials
internal import PostgresClient

extension PostgresStore {
    public func acquireLease(cell: String, holder: String, duration: Duration) async throws -> CellLease? {
        let row = try await write(Self.acquireStatement, [cell, holder, duration.interval]).first
        return try row?.decode("token", as: Int?.self).map { CellLease(cell: cell, token: $0) }
    }

    public func renewLease(_ lease: CellLease, duration: Duration) async throws -> Bool {
        let row = try await read(Self.renewStatement, [lease.cell, lease.token, duration.interval]).first
        return try row?.decode("renewed") ?? false
    }

    public func releaseLease(_ lease: CellLease) async throws {
        _ = try await write(Self.releaseStatement, [lease.cell, lease.token])
    }

    public func leases() async throws -> [CellLeaseRecord] {
        try await read(Self.leasesStatement).map { row in
            CellLeaseRecord(
                lease: CellLease(cell: try row.decode("cell"), token: try row.decode("token")),
                holder: try row.decode("holder"), expiresAt: try row.timestamp("expires_at"))
        }
    }

    public func clusterState() async throws -> ClusterState {
        guard let row = try await read(Self.stateStatement).first else {
            throw StoreError.corrupt("the cluster row is missing")
        }
        return ClusterState(
            epoch: try row.decode("epoch"), schemaVersion: try row.decode("schema"),
            quarantineUntil: try row.optionalTimestamp("quarantine_until"),
            realOrigin: try row.timestamp("real_origin"), fleetOrigin: try row.timestamp("fleet_origin"),
            fleetRate: try row.decode("fleet_rate"))
    }

    public func raiseEpoch(quarantine: Duration) async throws -> Int {
        let row = try await write(Self.epochStatement, [quarantine.interval]).first
        guard let epoch = try row?.decode("epoch", as: Int.self) else {
            throw StoreError.corrupt("the cluster row is missing")
        }
        return epoch
    }

    public func now() async throws -> Timestamp {
        guard let row = try await read(Self.nowStatement).first else { throw StoreError.corrupt("no time") }
        return try row.timestamp("now")
    }

    /// Sets how fast fleet time runs from now on; the development control plane only.
    public func setFleetRate(_ rate: Double) async throws {
        _ = try await write(Self.rateStatement, [rate])
    }

    /// How long absence stops nothing after a restore that the store finds out by itself.
    public func setQuarantine(_ duration: Duration) async throws {
        _ = try await write(Self.quarantineStatement, [duration.interval])
    }

    private static let quarantineStatement = Statement(
        name: "quarantine",
        sql: "UPDATE cluster SET quarantine = $1::interval WHERE quarantine <> $1::interval")
    private static let acquireStatement = Statement(
        name: "lease_acquire", sql: "SELECT lease_acquire_1($1, $2, $3::interval) AS token")
    private static let renewStatement = Statement(
        name: "lease_renew", sql: "SELECT lease_renew_1($1, $2, $3::interval) AS renewed")
    private static let releaseStatement = Statement(
        name: "lease_release",
        sql: "UPDATE cell_lease SET expires_at = '-infinity' WHERE cell = $1 AND token = $2")
    private static let leasesStatement = Statement(
        name: "leases",
        sql: """
            SELECT cell, token, holder, expires_at FROM cell_lease
            WHERE expires_at > '-infinity' ORDER BY cell
            """)
    private static let stateStatement = Statement(
        name: "cluster_state",
        sql: """
            SELECT epoch, quarantine_until, real_origin, fleet_origin, fleet_rate,
                (SELECT max(number)::bigint FROM schema_migration) AS schema
            FROM cluster
            """)
    private static let epochStatement = Statement(
        name: "epoch_raise", sql: "SELECT epoch_raise_2($1::interval, NULL) AS epoch")
    private static let nowStatement = Statement(name: "now", sql: "SELECT basalt_now() AS now")
    private static let rateStatement = Statement(
        name: "fleet_rate",
        sql: """
            UPDATE cluster SET
                fleet_origin = fleet_origin + (basalt_now() - real_origin) * fleet_rate,
                real_origin = basalt_now(), fleet_rate = $1
            WHERE fleet_rate <> $1
            """)
}
