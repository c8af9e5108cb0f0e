public import Fleet

/// A piece of a part's output that somebody wants to read.
///
/// Comes with the answer of a poll; the agent answers it with `POST /v1/agent/logs`, once. A question whose
/// answer never comes is asked again by whoever reads.
public struct LogQuestion: Sendable, Codable, Hashable {
    public var id: ID<LogQuestion>
    /// Name of the host.
    public var host: String
    public var allocation: ID<Allocation>
    /// Position after which to read, bytes since the part's start; nil for the beginning, or the tail.
    public var after: Int?
    /// With a nil `after`: so many of the last lines.
    public var tailLines: Int?
    /// How long to wait for output when there is none, seconds.
    public var waitSeconds: Double

    public init(
        id: ID<LogQuestion>, host: String, allocation: ID<Allocation>, after: Int? = nil,
        tailLines: Int? = nil, waitSeconds: Double = 0
    ) {
        self.id = id
        self.host = host
        self.allocation = allocation
        self.after = after
        self.tailLines = tailLines
        self.waitSeconds = waitSeconds
    }
}

/// A piece of output, or why there is none.
public struct LogAnswer: Sendable, Codable, Hashable {
    public var id: ID<LogQuestion>
    public var piece: LogPiece?
    /// Why there is none.
    public var refusal: String?

    public init(id: ID<LogQuestion>, piece: LogPiece? = nil, refusal: String? = nil) {
        self.id = id
        self.piece = piece
        self.refusal = refusal
    }
}

/// Bounds on what is asked for and answered at once.
public enum LogLimit {
    /// Bytes of one piece: what is read goes through the database, and a reader comes back for more.
    public static let pieceBytes = 65_536
    /// Bytes that are looked through for the last lines.
    public static let tailBytes = 1 << 20
    /// Lines of a tail.
    public static let tailLines = 100_000
    /// Longest wait for output, seconds.
    public static let waitSeconds = 10.0
    /// How long an answer may take beyond its wait, seconds: a poll, a look at a disk, a call.
    public static let answerSeconds = 10.0
    /// Questions of one session that wait at once.
    public static let questionsPerSession = 32
    /// Seconds after which a question is forgotten.
    public static let questionSeconds = 60.0
}

/// The answer to an answer: it was taken, or nobody waits for it any more.
public struct LogReceipt: Sendable, Codable, Hashable {
    public init() {}
}
