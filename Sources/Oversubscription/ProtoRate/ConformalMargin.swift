/// How far above a prediction the truth lay, in hours that the prediction did not learn from.
///
/// If hours are exchangeable, the truth of the next one is above prediction and margin with at most the
/// chance given, whatever the predictor is worth.
public struct ConformalMargin: Sendable, Hashable {
    private let residuals: [Double]

    /// - Parameter residuals: truth less prediction, in any order.
    public init(_ residuals: [Double]) { self.residuals = residuals.sorted() }

    public var count: Int { residuals.count }

    /// The residual of rank `⌈(n + 1)(1 − chance)⌉`; the greatest when there are too few for the chance, 0
    /// when there are none.
    public func margin(chance: Double) -> Double {
        guard let greatest = residuals.last else { return 0 }
        let rank = Int((Double(residuals.count + 1) * (1 - chance)).rounded(.up))
        return rank > residuals.count ? greatest : residuals[max(rank, 1) - 1]
    }
}
