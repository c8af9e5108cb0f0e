public import Fleet
public import struct Foundation.UUID
internal import Synchronization

/// Time and ids that tests own: sleeping moves a clock and returns at once.
public final class VirtualTime: Sendable {
    private let state = Mutex((uptime: Duration.zero, sleeps: [Duration]()))

    public init() {}

    public var uptime: Duration { state.withLock { $0.uptime } }
    public var sleeps: [Duration] { state.withLock { $0.sleeps } }

    /// Sleeps until the task is cancelled.
    public static func hang() async throws {
        let (never, continuation) = AsyncStream.makeStream(of: Void.self)
        for await _ in never {}
        continuation.finish()
        try Task.checkCancellation()
    }

    public func sleep(_ duration: Duration) async throws {
        state.withLock {
            $0.uptime += duration
            $0.sleeps.append(duration)
        }
        try Task.checkCancellation()
        await Task.yield()
    }
}

/// Ids that count.
public final class CountingIDSource: IDSource {
    private let count = Mutex(UInt32(0))

    public init() {}

    public func next() -> UUID {
        let number = count.withLock {
            $0 += 1
            return $0
        }
        return UUID(
            uuid: (
                0, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, UInt8(truncatingIfNeeded: number >> 24),
                UInt8(truncatingIfNeeded: number >> 16), UInt8(truncatingIfNeeded: number >> 8),
                UInt8(truncatingIfNeeded: number)
            ))
    }
}
