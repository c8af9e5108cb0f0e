/// What a run of the migrations found and did.
public struct MigrationReport: Sendable, Hashable {
    /// Numbers that this run applied.
    public internal(set) var applied: [Int] = []
    /// The newest migration that is applied now, 0 for none.
    public internal(set) var schemaNumber = 0
    /// Applied migrations newer than any this binary knows: the schema belongs to a newer version.
    public internal(set) var newerThanKnown: [Int] = []
}
