/// What a drain of a host would do now.
public struct DrainPreview: Sendable, Hashable, Codable {
    public var host: String
    public var moves: [Move]
    public var blocked: [Blocked]
    /// When the next maintenance window opens; nil when the drain would begin at once.
    public var opensAt: Timestamp?
    /// Until when VMs are left to end by themselves; nil when they are not.
    public var waitsUntil: Timestamp?
    /// The cell as it is.
    public var before: PackingSummary?
    /// The cell once everything has moved that can.
    public var after: PackingSummary?

    public init(
        host: String, moves: [Move], blocked: [Blocked], opensAt: Timestamp? = nil,
        waitsUntil: Timestamp? = nil, before: PackingSummary? = nil, after: PackingSummary? = nil
    ) {
        self.host = host
        self.moves = moves
        self.blocked = blocked
        self.opensAt = opensAt
        self.waitsUntil = waitsUntil
        self.before = before
        self.after = after
    }

    /// A workload that stops here and starts there.
    public struct Move: Sendable, Hashable, Codable {
        public var project: String
        public var name: String
        public var to: String
        /// Why it goes when it goes, in words.
        public var reason: String?
        /// Seconds that it is predicted to live on.
        public var remainingSeconds: Int?
        /// Seconds until its turn comes, if moves take as long as they are taken to.
        public var turnSeconds: Int?
        /// Whether it is predicted to end before its turn, and need not move.
        public var endsFirst: Bool?

        public init(
            project: String, name: String, to: String, reason: String? = nil, remainingSeconds: Int? = nil,
            turnSeconds: Int? = nil, endsFirst: Bool? = nil
        ) {
            self.project = project
            self.name = name
            self.to = to
            self.reason = reason
            self.remainingSeconds = remainingSeconds
            self.turnSeconds = turnSeconds
            self.endsFirst = endsFirst
        }
    }

    /// A workload that stays, and why.
    public struct Blocked: Sendable, Hashable, Codable {
        public var project: String
        public var name: String
        public var reason: Reason
        public var message: String
        /// The smallest change that would let it go, in words.
        public var nearestFix: String?

        public init(project: String, name: String, reason: Reason, message: String, nearestFix: String? = nil)
        {
            self.project = project
            self.name = name
            self.reason = reason
            self.message = message
            self.nearestFix = nearestFix
        }
    }
}
