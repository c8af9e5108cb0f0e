import Foundation

/// The standard normal distribution.
public enum NormalLaw {
    /// The share of values below `z`.
    public static func share(below z: Double) -> Double { erfc(-z / 2.0.squareRoot()) / 2 }

    /// The value that a share of values is below: bisection to the last bit, as nothing asks often.
    ///
    /// - Parameter share: above 0 and below 1.
    public static func quantile(_ share: Double) -> Double {
        // Beyond 40 deviations the share is 0 or 1 in double precision.
        var low = -40.0
        var high = 40.0
        while true {
            let middle = (low + high) / 2
            guard middle > low, middle < high else { return middle }
            if self.share(below: middle) < share { low = middle } else { high = middle }
        }
    }
}
