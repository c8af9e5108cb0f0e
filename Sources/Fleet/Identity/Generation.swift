/// A version of desired state that survives a restored database: the epoch is raised by every restore, so a
/// pair never repeats even though numbers may.
public struct Generation: Sendable, Hashable, Comparable, Codable {
    /// Raised when the database was restored.
    public var epoch: Int
    /// Raised by every change of what the generation versions.
    public var number: Int

    public init(epoch: Int, number: Int) {
        self.epoch = epoch
        self.number = number
    }

    public static func < (lhs: Generation, rhs: Generation) -> Bool {
        (lhs.epoch, lhs.number) < (rhs.epoch, rhs.number)
    }
}
