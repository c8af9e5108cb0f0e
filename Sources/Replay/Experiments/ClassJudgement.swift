import VMPlacement

/// How often the class predicted for a new VM is the one it lives to, as the trace knows.
struct ClassJudgement {
    private var right = 0
    private var all = 0

    /// Seconds both.
    mutating func add(predicted: Double, actual: Double) {
        all += 1
        if LifetimeClass(seconds: predicted) == LifetimeClass(seconds: actual) { right += 1 }
    }

    /// From 0 to 1 in four decimals; nil when nothing was predicted.
    var share: Double? { all == 0 ? nil : (Double(right) / Double(all) * 10_000).rounded() / 10_000 }
}
