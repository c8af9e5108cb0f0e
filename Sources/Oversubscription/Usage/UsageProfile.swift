/// What a VM is expected to use at most, window by window of the day, from the hours that it has lived.
///
/// Each window has a decaying histogram of the hours' greatest samples, so that last month counts less than
/// last week, and bursts count though they last seconds.
public struct UsageProfile: Sendable, Hashable {
    /// One hour of a VM.
    public struct Hour: Sendable, Hashable {
        /// Hours since 1970.
        public var index: Int
        /// Greatest sample, in cores.
        public var peak: Double

        public init(index: Int, peak: Double) {
            self.index = index
            self.peak = peak
        }
    }

    private static let hoursPerDay = 24
    /// A week, in hours: the rhythm that most load has.
    private static let halfLife = 168.0

    private let windows: DayWindows
    private let leastHours: Int
    private var histograms: [DecayingHistogram]
    private var counts: [Int]

    /// - Parameters:
    ///   - windows: of a day, a divisor of 24.
    ///   - leastHours: of a window, below which nothing is known of it: by default those of one day.
    public init(_ hours: [Hour], windows count: Int = 6, leastHours: Int? = nil) {
        windows = DayWindows(count, stepsPerDay: Self.hoursPerDay)
        self.leastHours = leastHours ?? Self.hoursPerDay / count
        histograms = Array(
            repeating: DecayingHistogram(.init(halfLife: Self.halfLife)), count: count)
        counts = Array(repeating: 0, count: count)
        for hour in hours.sorted(by: { $0.index < $1.index }) {
            let window = windows.window(of: hour.index)
            histograms[window].add(max(0, hour.peak), step: hour.index)
            counts[window] += 1
        }
    }

    /// Cores that the VM is counted with in each window: at most all of them, and all where too little is
    /// known.
    ///
    /// - Parameters:
    ///   - cores: of the VM.
    ///   - percentile: of the hours, from 0 to 1.
    public func peaks(cores: Double, percentile: Double = 0.95) -> [Double] {
        zip(histograms, counts).map { histogram, count in
            count < leastHours ? cores : min(cores, histogram.percentile(percentile))
        }
    }

    /// The peak of VMs together: their busiest window, as VMs that are busy at different times share cores.
    ///
    /// - Parameter vms: peaks of each, of as many windows.
    public static func sharedPeak(_ vms: [[Double]]) -> Double {
        guard let count = vms.first?.count else { return 0 }
        return (0..<count).map { window in vms.reduce(0) { $0 + $1[window] } }.max() ?? 0
    }
}
