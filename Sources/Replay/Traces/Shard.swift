/// One of `count` equal parts of a trace: the rows whose `batch_id` leaves the remainder `index`, so that VMs
/// that came together stay together.
public struct Shard: Sendable, Hashable {
    /// From 0.
    public var index: Int
    /// Shards of the whole.
    public var count: Int

    /// - Throws: `OptionError` when `index` is outside `0..<count`.
    public init(index: Int, count: Int) throws(OptionError) {
        guard count >= 1, (0..<count).contains(index) else {
            throw Self.error("\(index)/\(count)", nearest: Self.nearest(index: index, count: count))
        }
        self.index = index
        self.count = count
    }

    /// Reads `K/N`.
    ///
    /// - Throws: `OptionError` with the nearest valid choice.
    public init(parsing text: String) throws(OptionError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let index = Int(parts[0]), let count = Int(parts[1]) else {
            throw Self.error(text, nearest: "0/8")
        }
        try self.init(index: index, count: count)
    }

    func contains(batch: Int64) -> Bool { batch % Int64(count) == Int64(index) }

    private static func nearest(index: Int, count: Int) -> String {
        count < 1 ? "0/1" : "\(min(max(index, 0), count - 1))/\(count)"
    }

    private static func error(_ value: String, nearest: String) -> OptionError {
        OptionError(field: "shard", value: value, expected: "K/N with K from 0 to N - 1", nearest: nearest)
    }
}
