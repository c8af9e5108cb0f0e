import Fleet
import struct Foundation.UUID

/// The bytes of a host's id as two integers: the order of ids, cheap enough for a binary search.
struct HostKey: Sendable, Hashable, Comparable {
    private let high: UInt64
    private let low: UInt64

    init(_ id: ID<Document>) {
        let (high, low) = withUnsafeBytes(of: id.uuid.uuid) {
            ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
        self.high = UInt64(bigEndian: high)
        self.low = UInt64(bigEndian: low)
    }

    static func < (lhs: HostKey, rhs: HostKey) -> Bool {
        lhs.high != rhs.high ? lhs.high < rhs.high : lhs.low < rhs.low
    }

    func combine(into hash: inout StableHash) {
        hash.combine(high)
        hash.combine(low)
    }
}
