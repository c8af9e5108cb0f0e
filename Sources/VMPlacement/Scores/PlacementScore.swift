/// One score of the chain that orders feasible hosts: smaller is better.
///
/// A chain is itself a score (`ScorePair`), its value the concatenated bits of its parts, so that comparing
/// two hosts lexicographically is one comparison of integers. A score with state of its own per host (a
/// predicted exit time, a host class) keeps it in arrays indexed by slot and is passed to the scan as a
/// value.
protocol PlacementScore: Sendable {
    /// Bits that hold every value of a feasible host; a chain has at most 63.
    static var bits: Int { get }

    /// Value of a feasible host, below `1 << bits`.
    func value(of slot: Int, for request: CompiledRequest, in hosts: ScoredColumns) -> UInt64

    /// One `name=value` per score of the chain.
    func words(_ value: UInt64) -> [String]
}

/// The columns that scores read, of the promise that the request asks for.
struct ScoredColumns: Sendable {
    let rows: [HostRow]
    let cpu: HostTable.CPUColumns
    let memoryRoom: [Int32]
    let memoryWeight: [Int64]
    let isEmpty: [UInt8]
    let hasDevices: [UInt8]

    init(_ hosts: HostTable, guaranteed: Bool) {
        rows = hosts.rows
        cpu = guaranteed ? hosts.guaranteed : hosts.shared
        memoryRoom = hosts.memoryRoom
        memoryWeight = hosts.memoryWeight
        isEmpty = hosts.isEmpty
        hasDevices = hosts.hasDevices
    }
}

/// Two scores, the first deciding.
struct ScorePair<High: PlacementScore, Low: PlacementScore>: PlacementScore {
    let high: High
    let low: Low

    init(_ high: High, _ low: Low) {
        self.high = high
        self.low = low
    }

    static var bits: Int { High.bits + Low.bits }

    @inline(__always)
    func value(of slot: Int, for request: CompiledRequest, in hosts: ScoredColumns) -> UInt64 {
        high.value(of: slot, for: request, in: hosts) &<< UInt64(Low.bits)
            | low.value(of: slot, for: request, in: hosts)
    }

    func words(_ value: UInt64) -> [String] {
        high.words(value >> UInt64(Low.bits)) + low.words(value & (1 << UInt64(Low.bits) - 1))
    }
}
