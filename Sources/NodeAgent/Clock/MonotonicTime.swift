internal import Fleet

/// A point of the time since the machine booted, suspended time included. Never compared across boots.
public struct MonotonicTime: Sendable, Hashable, Comparable, Codable {
    public var microseconds: Int64

    public init(microseconds: Int64) { self.microseconds = microseconds }

    public static func < (lhs: MonotonicTime, rhs: MonotonicTime) -> Bool {
        lhs.microseconds < rhs.microseconds
    }

    public func advanced(by duration: Duration) -> MonotonicTime {
        MonotonicTime(microseconds: microseconds + duration.microseconds)
    }

    /// The time from `other` to `self`; negative when `other` is later.
    public func since(_ other: MonotonicTime) -> Duration { .microseconds(microseconds - other.microseconds) }
}
