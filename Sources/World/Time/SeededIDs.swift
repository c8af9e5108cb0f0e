internal import FaultLab
internal import Fleet
internal import Foundation
internal import Synchronization

/// Ids of version 7, as the product makes them, with random bits of a seed.
final class SeededIDs: IDSource {
    private let random: Mutex<FaultRandom>
    private let clock: VirtualClock

    init(seed: UInt64, clock: VirtualClock) {
        random = Mutex(FaultRandom(seed: seed))
        self.clock = clock
    }

    func next() -> UUID {
        let clock = clock
        return TimeOrderedIDSource(now: { clock.wall }, entropy: { self.entropy() }).next()
    }

    private func entropy() -> UUID {
        let (high, low) = random.withLock { ($0.next(), $0.next()) }
        func byte(_ word: UInt64, _ index: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: word >> (8 * index)) }
        return UUID(
            uuid: (
                byte(high, 0), byte(high, 1), byte(high, 2), byte(high, 3), byte(high, 4), byte(high, 5),
                byte(high, 6), byte(high, 7), 0x80 | (byte(low, 0) & 0x3F), byte(low, 1), byte(low, 2),
                byte(low, 3), byte(low, 4), byte(low, 5), byte(low, 6), byte(low, 7)
            ))
    }
}
