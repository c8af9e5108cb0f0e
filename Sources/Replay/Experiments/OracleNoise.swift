import Foundation

/// Draws of a normal law that depend on seed and row alone: the same in every process and in any order.
struct OracleNoise {
    let seed: UInt64

    /// A draw of N(0, 1) for one VM (Box and Muller 1958).
    func normal(_ row: Int) -> Double {
        let start = Self.mixed(seed &+ Self.step) &+ UInt64(truncatingIfNeeded: row) &* 2
        // (0, 1], so that the logarithm is finite.
        let radius = 1 - Self.unit(Self.mixed(start &* Self.step))
        let angle = Self.unit(Self.mixed((start &+ 1) &* Self.step))
        return (-2 * log(radius)).squareRoot() * cos(2 * Double.pi * angle)
    }

    private static let step: UInt64 = 0x9e37_79b9_7f4a_7c15

    /// 53 bits of [0, 1).
    private static func unit(_ bits: UInt64) -> Double { Double(bits >> 11) * 0x1p-53 }

    /// SplitMix64's output function (Steele, Lea, Flood, OOPSLA 2014).
    private static func mixed(_ word: UInt64) -> UInt64 {
        var value = word
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
