/// What became of one scope on one day.
public struct ScopeDay: Sendable, Hashable, Codable {
    /// Days since the epoch of the clock in use.
    public var day: Int
    /// Hosts times bins of which there are samples, and those of them that were hot.
    public var bins: Int
    public var hotBins: Int
    /// Share of bins that was predicted to be hot, at the decisions in force.
    public var predictedRisk: Double
    /// Cores that the decisions would have saved were the scope full.
    public var nominalCores: Double
    /// Cores that were sold beyond those there are: what placements made of it.
    public var realisedCores: Double

    public init(
        day: Int, bins: Int = 0, hotBins: Int = 0, predictedRisk: Double = 0, nominalCores: Double = 0,
        realisedCores: Double = 0
    ) {
        self.day = day
        self.bins = bins
        self.hotBins = hotBins
        self.predictedRisk = predictedRisk
        self.nominalCores = nominalCores
        self.realisedCores = realisedCores
    }

    /// Share of the bins that were hot; 0 without bins.
    public var realisedRisk: Double { bins == 0 ? 0 : Double(hotBins) / Double(bins) }
}

/// Adds up the bins of a scope by day.
public struct RiskLedger: Sendable, Hashable, Codable {
    /// One host's bin of a scope.
    public struct Bin: Sendable, Hashable {
        /// Start, in seconds.
        public var start: Int
        public var isHot: Bool
        public var predictedRisk: Double
        /// Cores that shared VMs were sold, that share of them that is to be backed, and the cores there are
        /// for them.
        public var soldCores: Double
        public var share: Double
        public var sharedCores: Double

        public init(
            start: Int, isHot: Bool, predictedRisk: Double, soldCores: Double, share: Double,
            sharedCores: Double
        ) {
            self.start = start
            self.isHot = isHot
            self.predictedRisk = predictedRisk
            self.soldCores = soldCores
            self.share = share
            self.sharedCores = sharedCores
        }

        /// A bin is hot when more was used than there is, or when tasks waited too long for a core.
        public static func isHot(used: Double, cores: Double, pressure: Double, limit: Double) -> Bool {
            used > cores || pressure >= limit
        }
    }

    private static let secondsPerDay = 86_400
    private var sums: [Int: Sums] = [:]

    private struct Sums: Sendable, Hashable, Codable {
        var bins = 0
        var hotBins = 0
        var predicted = 0.0
        var nominal = 0.0
        var realised = 0.0
    }

    public init() {}

    /// - Parameters:
    ///   - times: bins like this one.
    ///   - binsPerDay: of one host; what a bin adds to the day's cores is its part of a day.
    public mutating func add(_ bin: Bin, times: Int = 1, binsPerDay: Int) {
        let day = Int((Double(bin.start) / Double(Self.secondsPerDay)).rounded(.down))
        var sum = sums[day] ?? Sums()
        let part = Double(times) / Double(binsPerDay)
        sum.bins += times
        sum.hotBins += bin.isHot ? times : 0
        sum.predicted += bin.predictedRisk * Double(times)
        sum.nominal += bin.soldCores * (1 - bin.share) * part
        sum.realised += max(0, bin.soldCores - bin.sharedCores) * part
        sums[day] = sum
    }

    /// Days with bins, ascending.
    public var days: [ScopeDay] {
        sums.sorted { $0.key < $1.key }.map { day, sum in
            ScopeDay(
                day: day, bins: sum.bins, hotBins: sum.hotBins,
                predictedRisk: sum.predicted / Double(sum.bins), nominalCores: sum.nominal,
                realisedCores: sum.realised)
        }
    }

    /// Forgets days before one.
    public mutating func drop(before day: Int) { sums = sums.filter { $0.key >= day } }
}
