public import struct Foundation.UUID

/// Where new ids come from. Injected, so that a simulated fleet repeats for a seed.
public protocol IDSource: Sendable {
    func next() -> UUID
}

/// Ids of the operating system's randomness, ordered by time (UUID version 7, RFC 9562), which keeps
/// inserts at the right edge of an index.
public struct TimeOrderedIDSource: IDSource {
    private let now: @Sendable () -> Timestamp
    private let entropy: @Sendable () -> UUID

    /// - Parameters:
    ///   - now: the wall clock.
    ///   - entropy: a random UUID, whose random bits are used below the time.
    public init(now: @escaping @Sendable () -> Timestamp, entropy: @escaping @Sendable () -> UUID) {
        self.now = now
        self.entropy = entropy
    }

    public func next() -> UUID {
        let milliseconds = UInt64(max(0, now().microseconds / 1000))
        var bytes = entropy().uuid
        bytes.0 = UInt8(truncatingIfNeeded: milliseconds >> 40)
        bytes.1 = UInt8(truncatingIfNeeded: milliseconds >> 32)
        bytes.2 = UInt8(truncatingIfNeeded: milliseconds >> 24)
        bytes.3 = UInt8(truncatingIfNeeded: milliseconds >> 16)
        bytes.4 = UInt8(truncatingIfNeeded: milliseconds >> 8)
        bytes.5 = UInt8(truncatingIfNeeded: milliseconds)
        bytes.6 = 0x70 | (bytes.6 & 0x0F)
        bytes.8 = 0x80 | (bytes.8 & 0x3F)
        return UUID(uuid: bytes)
    }
}
