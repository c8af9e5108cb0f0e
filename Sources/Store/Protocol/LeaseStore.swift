public import Fleet

/// Leases of cells, the epoch and the pulse of the controllers.
public protocol LeaseStore: Sendable {
    /// Takes a cell's lease when it is free or ran out; waits for running commits of the earlier holder.
    ///
    /// - Returns: nil while another holder's lease is in force.
    func acquireLease(cell: String, holder: String, duration: Duration) async throws -> CellLease?

    /// - Returns: false when the lease was lost.
    func renewLease(_ lease: CellLease, duration: Duration) async throws -> Bool

    func releaseLease(_ lease: CellLease) async throws

    func leases() async throws -> [CellLeaseRecord]

    func clusterState() async throws -> ClusterState

    /// Raises the epoch after the database was restored: feed cursors and cell leases expire, every host is
    /// suspect until its session says hello, and for `quarantine` nothing is stopped or fenced for being
    /// absent, nor started that may run elsewhere.
    func raiseEpoch(quarantine: Duration) async throws -> Int

    /// Time of the store, the lease clock.
    func now() async throws -> Timestamp
}

/// A right to plan for a cell, fenced by its token.
public struct CellLease: Sendable, Hashable {
    public var cell: String
    public var token: Int

    public init(cell: String, token: Int) {
        self.cell = cell
        self.token = token
    }
}

/// A cell lease as it stands, held or run out.
public struct CellLeaseRecord: Sendable, Hashable {
    public var lease: CellLease
    public var holder: String
    public var expiresAt: Timestamp

    public init(lease: CellLease, holder: String, expiresAt: Timestamp) {
        self.lease = lease
        self.holder = holder
        self.expiresAt = expiresAt
    }
}

/// What counts for the whole fleet: epoch, schema, quarantine and the fleet clock.
public struct ClusterState: Sendable, Hashable {
    public var epoch: Int
    public var schemaVersion: Int
    /// Until then absence stops and deletes nothing.
    public var quarantineUntil: Timestamp?
    /// Fleet time = `fleetOrigin + (now − realOrigin) × fleetRate`.
    public var realOrigin: Timestamp
    public var fleetOrigin: Timestamp
    public var fleetRate: Double

    public init(
        epoch: Int, schemaVersion: Int, quarantineUntil: Timestamp?, realOrigin: Timestamp,
        fleetOrigin: Timestamp,
        fleetRate: Double
    ) {
        self.epoch = epoch
        self.schemaVersion = schemaVersion
        self.quarantineUntil = quarantineUntil
        self.realOrigin = realOrigin
        self.fleetOrigin = fleetOrigin
        self.fleetRate = fleetRate
    }

    /// Fleet time at a real time.
    public func fleetTime(at now: Timestamp) -> Timestamp {
        fleetOrigin.advanced(by: .seconds(now.since(realOrigin).inSeconds * fleetRate))
    }
}
