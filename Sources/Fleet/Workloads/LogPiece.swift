/// A piece of a workload's output.
public struct LogPiece: Sendable, Hashable, Codable {
    /// Bytes that are no UTF-8 are replaced.
    public var text: String
    /// Position behind the piece, to read on from: bytes since the part's start.
    public var next: Int
    /// Nothing more was there when it was read.
    public var isCaughtUp: Bool
    /// Nothing more will come.
    public var isEnd: Bool
    /// Bytes before the piece that were asked for and are no longer kept.
    public var skippedBytes: Int

    public init(text: String, next: Int, isCaughtUp: Bool, isEnd: Bool, skippedBytes: Int = 0) {
        self.text = text
        self.next = next
        self.isCaughtUp = isCaughtUp
        self.isEnd = isEnd
        self.skippedBytes = skippedBytes
    }
}
