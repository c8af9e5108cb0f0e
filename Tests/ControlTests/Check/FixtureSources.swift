import Fleet
import Foundation
import Synchronization

/// SplitMix64 (Steele, Lea, Flood 2014).
struct FixtureGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Ids that count upwards.
final class CountedIDs: IDSource {
    private let count = Mutex<UInt64>(0)

    func next() -> UUID {
        let number = count.withLock { count in
            count += 1
            return count.bigEndian
        }
        return withUnsafeBytes(of: number) { bytes in
            UUID(
                uuid: (
                    0, 0, 0, 0, 0, 0, 0, 0, bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5],
                    bytes[6], bytes[7]
                ))
        }
    }

    func id<Subject>() -> ID<Subject> { ID(next()) }
}

/// A clock that a test moves.
final class FixtureClock: Sendable {
    private let time = Mutex(Timestamp(microseconds: 1_700_000_000_000_000))

    var now: Timestamp { time.withLock { $0 } }

    func advance(_ seconds: Int) { time.withLock { $0 = $0.advanced(by: .seconds(seconds)) } }
}
