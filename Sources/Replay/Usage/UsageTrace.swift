public import Oversubscription

/// What many VMs used of their cores, at the same equal steps.
///
/// Series go by position: sample 0 of every series counts as the same time, whatever the clock of the file
/// says.
public struct UsageTrace: Sendable, Hashable {
    /// In the order of the file, at least one.
    public let series: [UsageSeries]
    /// Between two samples, of all series.
    public let stepSeconds: Int

    /// - Parameter series: all of the same step.
    init(series: [UsageSeries], stepSeconds: Int) {
        self.series = series
        self.stepSeconds = stepSeconds
    }

    /// Samples of the longest series.
    public var steps: Int { series.map(\.samples.count).max() ?? 0 }

    /// Steps of 24 hours.
    public var stepsPerDay: Int { max(1, 86_400 / stepSeconds) }

    /// The series whose VM has cores, at most `cores` of them.
    public func limited(to cores: Double) -> UsageTrace {
        UsageTrace(series: series.filter { $0.cores > 0 && $0.cores <= cores }, stepSeconds: stepSeconds)
    }
}
