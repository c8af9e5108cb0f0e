/// Which hours are learnt from, which calibrate and which are counted; always in that order of time.
public struct RateSplit: Sendable, Hashable {
    /// Before the first decision there is a week to look back on.
    public static let lookBack = 168

    public let fit: Range<Int>
    public let calibrate: Range<Int>
    public let test: Range<Int>

    /// Three fifths, one fifth and the rest of the hours after the first week.
    ///
    /// - Parameter hours: of the trace.
    /// - Returns: nil when one of the three would be empty.
    public init?(hours: Int) {
        let rows = hours - Self.lookBack
        guard rows >= 5 else { return nil }
        let fitted = Self.lookBack + rows * 3 / 5
        let calibrated = Self.lookBack + rows * 4 / 5
        fit = Self.lookBack..<fitted
        calibrate = fitted..<calibrated
        test = calibrated..<hours
    }

    /// What rules without a calibration learn from.
    public var history: Range<Int> { fit.lowerBound..<calibrate.upperBound }
}
