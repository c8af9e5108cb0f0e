/// What a search goes by: attainment first, and of plans that attain the same, the one that could serve more.
struct PlanRank: Comparable {
    /// Thousandths of the requests in time, less what single points of failure cost.
    var attained: Int
    /// Requests per second in time if far more came.
    var saturation: Double

    /// Attainment that one broken rule against single points of failure is worth.
    static let penalty = 0.02

    init(attainment: Double, saturation: Double, broken: Int) {
        attained = Int(((attainment - Double(broken) * Self.penalty) * 1000).rounded())
        self.saturation = saturation * (1 - Double(broken) * Self.penalty)
    }

    static func < (left: PlanRank, right: PlanRank) -> Bool {
        (left.attained, left.saturation) < (right.attained, right.saturation)
    }
}
