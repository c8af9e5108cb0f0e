import Fleet

extension MemoryStore {
    public func acquireLease(cell: String, holder: String, duration: Duration) async throws -> CellLease? {
        write { $0.acquireLease(cell: cell, holder: holder, duration: duration) }
    }

    public func renewLease(_ lease: CellLease, duration: Duration) async throws -> Bool {
        write { $0.renewLease(lease, duration: duration) }
    }

    public func releaseLease(_ lease: CellLease) async throws { write { $0.releaseLease(lease) } }

    public func leases() async throws -> [CellLeaseRecord] { read { $0.leaseRecords() } }

    public func clusterState() async throws -> ClusterState { read { $0.cluster } }

    public func raiseEpoch(quarantine: Duration) async throws -> Int {
        try write { try $0.raiseEpoch(quarantine: quarantine) }
    }
}
