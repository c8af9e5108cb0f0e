import Fleet
import Foundation
import Synchronization

/// SplitMix64 (Steele, Lea, Flood 2014): small, and the same everywhere for a seed.
struct SeededGenerator: RandomNumberGenerator {
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

/// Ids that rise, and repeat for a seed.
final class SeededIDs: IDSource {
    private let state: Mutex<(count: UInt64, generator: SeededGenerator)>

    init(seed: UInt64) { state = Mutex((0, SeededGenerator(seed: seed))) }

    func next() -> UUID {
        state.withLock { state in
            state.count += 1
            let (high, low) = (state.count.bigEndian, state.generator.next())
            return withUnsafeBytes(of: (high, low)) { bytes in
                UUID(
                    uuid: (
                        bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7],
                        bytes[8], bytes[9], bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]
                    ))
            }
        }
    }

    func id<Subject>() -> ID<Subject> { ID(next()) }
}
