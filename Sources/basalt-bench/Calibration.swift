import Foundation

/// A fixed amount of integer work, timed in every run, so that figures of different machines and loads can be
/// compared as ratios.
enum Calibration {
    private static let steps = 100_000_000

    /// Milliseconds that the work takes.
    static func milliseconds(_ clock: some Clock<Duration>) -> Double {
        var value: UInt64 = 1
        let taken = clock.measure {
            // Xorshift (Marsaglia 2003): each step waits for the one before, and none can be left out.
            for _ in 0..<steps {
                value ^= value << 13
                value ^= value >> 7
                value ^= value << 17
            }
        }
        // The value is looked at, so that the loop is not removed; it is never 0.
        return value == 0 ? 0 : Spread.milliseconds(taken)
    }
}

/// Median and range of a few rounds.
struct Spread {
    let values: [Double]

    init(_ values: [Double]) { self.values = values.sorted() }

    var median: Double { values[values.count / 2] }
    var lowest: Double { values[0] }
    var highest: Double { values[values.count - 1] }

    static func milliseconds(_ duration: Duration) -> Double { duration / .milliseconds(1) }

    /// The value that a share of all values does not exceed.
    func percentile(_ share: Double) -> Double {
        values[min(values.count - 1, Int((Double(values.count) * share).rounded(.up)) - 1)]
    }

    /// `median [lowest to highest]`.
    func text(digits: Int = 0) -> String {
        func rounded(_ value: Double) -> String { String(format: "%.\(digits)f", value) }
        return "\(rounded(median)) [\(rounded(lowest)) to \(rounded(highest))]"
    }

    /// The median alone.
    func rounded(digits: Int = 0) -> String { String(format: "%.\(digits)f", median) }
}
