/// What a drain of a host would do now.
public struct DrainPreview: Sendable, Hashable, Codable {
    public var host: String
    public var moves: [Move]
    public var blocked: [Blocked]
    /// When the next maintenance window opens; nil when the drain would begin at once.
    public var opensAt: Timestamp?

    public init(host: String, moves: [Move], blocked: [Blocked], opensAt: Timestamp? = nil) {
        self.host = host
        self.moves = moves
        self.blocked = blocked
        self.opensAt = opensAt
    }

    /// A workload that stops here and starts there.
    public struct Move: Sendable, Hashable, Codable {
        public var project: String
        public var name: String
        public var to: String

        public init(project: String, name: String, to: String) {
            self.project = project
            self.name = name
            self.to = to
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
