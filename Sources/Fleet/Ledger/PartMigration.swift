/// Names one move of a part from host to host: two allocations carry it, the target as its arrival and the
/// source as its departure.
///
/// At any time one of the two is the part's writer: the source until the transaction that frees it, the
/// target from then on.
public enum PartMigration: Sendable {}

/// What an allocation has to do with the migration whose target it is.
public struct MigrationArrival: Sendable, Hashable, Codable {
    public var migration: ID<PartMigration>
    /// While the source writes: the allocation holds room and devices, and nothing runs by it.
    public var standsBy: Bool

    public init(migration: ID<PartMigration>, standsBy: Bool) {
        self.migration = migration
        self.standsBy = standsBy
    }
}
