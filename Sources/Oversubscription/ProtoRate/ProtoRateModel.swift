/// What is learnt from the past of many scopes.
public struct ProtoRateModel: Sendable, Hashable {
    public let settings: ProtoRateSettings
    public let prototypes: Prototypes

    private let base: LinearModel
    private let common: ConformalMargin
    /// One per prototype; nil where there are too few residuals.
    private let own: [ConformalMargin?]

    /// Reads no hour of the test.
    ///
    /// - Parameters:
    ///   - scopes: at least one, each with the hours of `split.fit` and `split.calibrate`.
    public init(_ scopes: [ScopePeaks], _ split: RateSplit, _ settings: ProtoRateSettings) {
        let fitted = Self.rows(scopes, split.fit)
        let base = LinearModel(
            rows: fitted.flatMap(\.features), targets: fitted.flatMap(\.peaks),
            loss: .pinball(1 - settings.target), ridge: settings.ridge)
        let shapes = scopes.map { Self.shape(of: $0, split) }
        let prototypes = Prototypes(of: shapes, count: settings.prototypes, edits: settings.edits)
        let residuals = Self.rows(scopes, split.calibrate).map { rows in
            zip(rows.features, rows.peaks).map { $1 - base.predict($0) }
        }
        let members = shapes.map { prototypes.nearest(to: $0) }
        self.settings = settings
        self.base = base
        self.prototypes = prototypes
        common = ConformalMargin(residuals.flatMap { $0 })
        own = prototypes.centres.indices.map { prototype in
            let found = zip(residuals, members).filter { $0.1 == prototype }.flatMap(\.0)
            return found.count < settings.leastResiduals ? nil : ConformalMargin(found)
        }
    }

    /// What the margin aims at: less than the target by what a count of so many hours may deviate by chance.
    public var aim: Double {
        let target = settings.target
        let deviation = (target * (1 - target) / Double(max(1, common.count))).squareRoot()
        return max(target / 2, target - deviation)
    }

    /// The prototype of a scope, by the hours that were fitted.
    public func prototype(of scope: ScopePeaks, _ split: RateSplit) -> Int {
        prototypes.nearest(to: Self.shape(of: scope, split))
    }

    /// The peak that the hour after `past` exceeds with a chance, before any rule.
    ///
    /// - Parameters:
    ///   - past: peaks of all hours before.
    ///   - chance: above 0.
    public func peak(after past: ArraySlice<Double>, prototype: Int, chance: Double) -> Double {
        // A prototype with few or untypical hours must not make a scope bolder than the whole is.
        let margin = max(common.margin(chance: chance), own[prototype]?.margin(chance: chance) ?? -.infinity)
        return base.predict(ScopeFeatures.of(past: past)) + margin
    }

    private static func shape(of scope: ScopePeaks, _ split: RateSplit) -> [Double] {
        Prototypes.shape(
            of: scope.peaks[split.fit], firstHour: split.fit.lowerBound, concentration: scope.concentration)
    }

    private static func rows(
        _ scopes: [ScopePeaks], _ hours: Range<Int>
    ) -> [(features: [[Double]], peaks: [Double])] {
        scopes.map { scope in
            (hours.map { ScopeFeatures.of(past: scope.peaks[..<$0]) }, Array(scope.peaks[hours]))
        }
    }
}
