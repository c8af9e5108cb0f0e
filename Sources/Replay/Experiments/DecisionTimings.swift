/// How long decisions took, by an injected clock.
struct DecisionTimings {
    /// Nanoseconds each; a decision of over four seconds counts as four.
    private var nanoseconds: [UInt32] = []
    private var total: Int64 = 0

    mutating func add(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let taken = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        nanoseconds.append(UInt32(clamping: taken))
        total += taken
    }

    /// 0 when no time passed.
    var perSecond: Double {
        total > 0 ? (Double(nanoseconds.count) * 1e9 / Double(total)).rounded() : 0
    }

    /// The smallest time that 99 % of the decisions are within; 0 without decisions.
    var p99Microseconds: Double {
        guard !nanoseconds.isEmpty else { return 0 }
        let rank = (nanoseconds.count * 99 + 99) / 100
        return Double(nanoseconds.sorted()[rank - 1]) / 1000
    }
}
