/// How full hosts are packed.
public struct PackingSummary: Sendable, Hashable, Codable {
    /// Hosts that take VMs.
    public var hosts: Int
    /// Those of them without a VM.
    public var emptyHosts: Int
    /// CPU that is left over when the hosts are filled up with their usual VMs, per mille of all; nil where
    /// that is not measured, as in large cells.
    public var strandedCPUPerMille: Int?
    /// Likewise of memory.
    public var strandedMemoryPerMille: Int?

    public init(
        hosts: Int, emptyHosts: Int, strandedCPUPerMille: Int? = nil, strandedMemoryPerMille: Int? = nil
    ) {
        self.hosts = hosts
        self.emptyHosts = emptyHosts
        self.strandedCPUPerMille = strandedCPUPerMille
        self.strandedMemoryPerMille = strandedMemoryPerMille
    }

    public var emptyPerMille: Int { hosts == 0 ? 0 : emptyHosts * 1000 / hosts }
}

/// What a defragmentation of a pool would do now.
public struct DefragmentationPreview: Sendable, Hashable, Codable {
    public var pool: String
    public var mode: DefragmentationRules.Mode
    /// Share of the hosts that shall be empty, per mille.
    public var targetEmptyPerMille: Int
    /// The pool as it is.
    public var before: PackingSummary
    /// The pool once everything has moved.
    public var after: PackingSummary
    /// Hosts that would be emptied, best first.
    public var hosts: [Candidate]
    /// Why there are none, or no more.
    public var message: String

    public init(
        pool: String, mode: DefragmentationRules.Mode, targetEmptyPerMille: Int, before: PackingSummary,
        after: PackingSummary, hosts: [Candidate], message: String
    ) {
        self.pool = pool
        self.mode = mode
        self.targetEmptyPerMille = targetEmptyPerMille
        self.before = before
        self.after = after
        self.hosts = hosts
        self.message = message
    }

    public struct Candidate: Sendable, Hashable, Codable {
        public var host: String
        /// Host-hours that become free per move that is expected, in thousandths.
        public var benefitMilli: Int
        public var moves: [DrainPreview.Move]

        public init(host: String, benefitMilli: Int, moves: [DrainPreview.Move]) {
            self.host = host
            self.benefitMilli = benefitMilli
            self.moves = moves
        }
    }
}
