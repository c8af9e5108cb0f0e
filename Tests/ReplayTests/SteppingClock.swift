import Synchronization

/// A clock that moves by one step whenever it is read.
final class SteppingClock: Clock {
    struct Instant: InstantProtocol {
        var offset: Duration

        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (lhs: Instant, rhs: Instant) -> Bool { lhs.offset < rhs.offset }
    }

    private let count = Mutex(0)
    private let step: Duration

    init(step: Duration) { self.step = step }

    var reads: Int { count.withLock { $0 } }
    var minimumResolution: Duration { step }

    var now: Instant {
        count.withLock {
            $0 += 1
            return Instant(offset: step * $0)
        }
    }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {}
}
