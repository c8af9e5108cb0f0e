import Synchronization

/// Where fractions for jitter come from: given by whoever makes the pool, seeded where runs must repeat.
public struct JitterSource: Sendable {
    private let next: @Sendable () -> Double

    /// `next` returns a fraction from 0 up to, not including, 1.
    public init(_ next: @escaping @Sendable () -> Double) {
        self.next = next
    }

    /// The same fractions in the same order for the same seed (SplitMix64).
    public static func seeded(_ seed: UInt64) -> JitterSource {
        let generator = SeededGenerator(seed: seed)
        return JitterSource { generator.nextFraction() }
    }

    /// The operating system's randomness.
    public static let system = JitterSource {
        var generator = SystemRandomNumberGenerator()
        return Double(generator.next() as UInt64 >> 11) * 0x1p-53
    }

    /// The next fraction, from 0 to 1.
    public func fraction() -> Double {
        min(max(next(), 0), 1)
    }
}

private final class SeededGenerator: Sendable {
    private let state: Mutex<UInt64>

    init(seed: UInt64) {
        state = Mutex(seed)
    }

    func nextFraction() -> Double {
        let bits = state.withLock { state in
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
        return Double(bits >> 11) * 0x1p-53
    }
}
