/// A day cut into equal windows.
public struct DayWindows: Sendable, Hashable {
    /// Windows of a day.
    public let count: Int
    private let stepsPerDay: Int

    /// - Parameter count: a divisor of `stepsPerDay`.
    public init(_ count: Int, stepsPerDay: Int) {
        precondition(count > 0 && stepsPerDay % count == 0, "\(count) windows of \(stepsPerDay) steps")
        self.count = count
        self.stepsPerDay = stepsPerDay
    }

    /// The window of a step; step 0 begins a day.
    public func window(of step: Int) -> Int { step % stepsPerDay / (stepsPerDay / count) }

    /// Samples of a window that lie within `days` days.
    func samples(days: Int) -> Int { stepsPerDay / count * days }

    /// The values of each window.
    public func split(_ values: [Double]) -> [[Double]] {
        var windows = [[Double]](repeating: [], count: count)
        for (step, value) in values.enumerated() { windows[window(of: step)].append(value) }
        return windows
    }
}

/// A percentile of each VM per window of the day; the host's peak is that of its worst window, so that VMs
/// that are busy at different times share cores (the idea of Coach, ASPLOS 2025).
public struct WindowRule: PeakRule {
    private let windows: DayWindows
    private let percentile: Double
    private let days: Int

    /// - Parameters:
    ///   - percentile: from 0 to 1; 1 is the greatest of a window.
    ///   - days: of history per window.
    public init(_ windows: DayWindows, percentile: Double, days: Int) {
        self.windows = windows
        self.percentile = percentile
        self.days = days
    }

    public var emptyMemory: [RecentSamples] {
        Array(repeating: RecentSamples(capacity: windows.samples(days: days)), count: windows.count)
    }

    public func record(_ sample: VMSample, step: Int, in memory: inout [RecentSamples]) {
        memory[windows.window(of: step)].append(usage: sample.usage, limit: sample.limit)
    }

    /// A window that a VM has not lived through yet counts with the VM's limit.
    public func peak(of vms: [WarmVM<[RecentSamples]>]) -> Double {
        var sums = [Double](repeating: 0, count: windows.count)
        for vm in vms {
            for (window, samples) in vm.memory.enumerated() {
                sums[window] +=
                    samples.count == 0 ? vm.limit : Percentile.of(samples.shares, percentile) * vm.limit
            }
        }
        return sums.max() ?? 0
    }
}
