internal import Fleet
internal import Foundation
internal import Synchronization

/// Ids of plans that nobody commits: they count, so that a trial says the same each time.
final class TrialIDs: IDSource {
    private let count = Mutex<UInt64>(0)

    func next() -> UUID {
        let number = count.withLock { count in
            count += 1
            return count
        }
        func byte(_ shift: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: number >> shift) }
        return UUID(
            uuid: (
                0, 0, 0, 0, 0, 0, 0, 0, byte(56), byte(48), byte(40), byte(32), byte(24), byte(16), byte(8),
                byte(0)
            ))
    }
}
