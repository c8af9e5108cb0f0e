/// The share of VMs that live longer than an age: straight lines between knots, and its integral.
public struct SurvivalCurve: Sendable, Hashable {
    /// A corner of the curve; two knots of one age are a step.
    struct Knot: Sendable, Hashable {
        var age: Double
        var survival: Double
        /// Integral of the survival from this age to the horizon.
        var area = 0.0
    }

    /// What happened at one age.
    public struct Count: Sendable, Hashable {
        /// Seconds.
        public var age: Double
        /// VMs that ended then.
        public var ended: Int
        /// VMs that were last seen then, still running.
        public var censored: Int

        public init(age: Double, ended: Int, censored: Int) {
            self.age = age
            self.ended = ended
            self.censored = censored
        }
    }

    /// How survival falls from one age to the next.
    public enum Shape: Sendable, Hashable {
        /// All at once at the age: lifetimes are known exactly.
        case steps
        /// Evenly in between: ages are the ends of bins.
        case lines
    }

    private let knots: [Knot]

    /// The product-limit estimate (Kaplan and Meier 1958), `Π (1 − e / (n − c / 2))` over the ages, where
    /// those last seen at an age were at risk for half of it.
    ///
    /// - Parameters:
    ///   - counts: in any order; each age once.
    ///   - horizon: age at which the integral is cut, seconds; nil cuts it at the last age. Behind the last
    ///     end the curve is flat.
    public init(_ counts: [Count], shape: Shape, horizon: Double? = nil) {
        let counts = counts.sorted { $0.age < $1.age }
        var atRisk = counts.reduce(0) { $0 + $1.ended + $1.censored }
        var survival = 1.0
        var knots = [Knot(age: 0, survival: 1)]
        for count in counts {
            if shape == .steps { knots.append(Knot(age: count.age, survival: survival)) }
            let risk = Double(atRisk) - Double(count.censored) / 2
            if count.ended > 0 { survival = max(0, survival * (1 - Double(count.ended) / risk)) }
            knots.append(Knot(age: count.age, survival: survival))
            atRisk -= count.ended + count.censored
        }
        let end = horizon ?? counts.last?.age ?? 0
        self.knots = Self.cut(knots, at: end)
    }

    /// Ends the curve at the horizon and sums the areas from there backwards.
    private static func cut(_ knots: [Knot], at horizon: Double) -> [Knot] {
        let survival = Self.survival(knots, at: horizon)
        var cut = knots.filter { $0.age <= horizon }
        if cut.last.map({ $0.age < horizon }) ?? true { cut.append(Knot(age: horizon, survival: survival)) }
        for index in cut.indices.dropLast().reversed() {
            let (left, right) = (cut[index], cut[index + 1])
            cut[index].area = right.area + (right.age - left.age) * (left.survival + right.survival) / 2
        }
        return cut
    }

    /// Behind the last knot the curve is flat.
    private static func survival(_ knots: [Knot], at age: Double) -> Double {
        let next = firstIndex(in: knots, after: age)
        guard next < knots.count else { return knots.last?.survival ?? 0 }
        guard next > 0 else { return 1 }
        let (left, right) = (knots[next - 1], knots[next])
        let share = (age - left.age) / (right.age - left.age)
        return left.survival + (right.survival - left.survival) * share
    }

    private static func firstIndex(in knots: [Knot], after age: Double) -> Int {
        var low = 0
        var high = knots.count
        while low < high {
            let middle = (low + high) / 2
            if knots[middle].age <= age { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Share of VMs that live longer than `age` seconds.
    public func survival(at age: Double) -> Double { Self.survival(knots, at: age) }

    /// Mean excess, seconds: the area behind the age over the survival at it; 0 from the horizon on, and
    /// where nobody survives.
    public func expectedRemaining(uptime: Double) -> Double {
        let next = Self.firstIndex(in: knots, after: uptime)
        guard next > 0, next < knots.count else { return next == 0 ? knots.first?.area ?? 0 : 0 }
        let (left, right) = (knots[next - 1], knots[next])
        let share = (uptime - left.age) / (right.age - left.age)
        let survival = left.survival + (right.survival - left.survival) * share
        guard survival > 0 else { return 0 }
        let area = right.area + (right.age - uptime) * (survival + right.survival) / 2
        return area / survival
    }
}
