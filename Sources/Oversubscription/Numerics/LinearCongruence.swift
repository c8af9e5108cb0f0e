/// A small generator that is the same in every language, so that orders can be compared with other programs.
public struct LinearCongruence: Sendable, Hashable {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    /// The next 31 bits.
    public mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state >> 33
    }

    /// `0..<count` in the order of Fisher and Yates, from the last down: `j = next mod (i + 1)`.
    public static func order(_ count: Int, seed: UInt64) -> [Int] {
        var generator = LinearCongruence(seed: seed)
        var order = Array(0..<count)
        for index in stride(from: count - 1, to: 0, by: -1) {
            order.swapAt(index, Int(generator.next() % UInt64(index + 1)))
        }
        return order
    }
}
