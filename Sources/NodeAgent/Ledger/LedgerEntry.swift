public import Fleet

/// A change of one host's part of the ledger.
public struct LedgerEntry: Sendable, Equatable, Codable {
    /// Name of the host.
    public var host: String
    /// Newest accepted version; nil when the host has none.
    public var accepted: AcceptedVersion?
    /// Parts that are new or changed.
    public var parts: [LedgerPart]
    /// Parts that are dropped.
    public var forgotten: [ID<Allocation>]

    public init(
        host: String, accepted: AcceptedVersion?, parts: [LedgerPart] = [], forgotten: [ID<Allocation>] = []
    ) {
        self.host = host
        self.accepted = accepted
        self.parts = parts
        self.forgotten = forgotten
    }
}

/// Version of an assignment: an equal generation with another hash is an alarm.
public struct AcceptedVersion: Sendable, Equatable, Codable {
    public var generation: Generation
    public var hash: String

    public init(generation: Generation, hash: String) {
        self.generation = generation
        self.hash = hash
    }
}
