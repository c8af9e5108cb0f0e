/// What one VM used of its cores over time, at equal steps.
public struct UsageSeries: Sendable, Hashable {
    /// Of a sample that was not taken.
    public static let missing = UInt16.max
    /// A sample of a VM that uses all of its cores.
    public static let full: UInt16 = 10_000

    /// Unique within a trace.
    public var name: String
    /// What the VM may use at most, in cores.
    public var cores: Double
    /// Time of the first sample, in seconds on the trace's clock.
    public var startSeconds: Int
    /// Between two samples.
    public var stepSeconds: Int
    /// Shares of `cores` in ten-thousandths, at most ``full``, or ``missing``: two bytes per sample.
    public var samples: [UInt16]

    public init(name: String, cores: Double, startSeconds: Int, stepSeconds: Int, samples: [UInt16]) {
        self.name = name
        self.cores = cores
        self.startSeconds = startSeconds
        self.stepSeconds = stepSeconds
        self.samples = samples
    }

    /// Cores in use, one value per step. A gap repeats the sample before it, also past the end; before the
    /// first sample there is no use.
    public func usedCores(steps: Int) -> [Double] {
        var last = 0.0
        return (0..<steps).map { step in
            if step < samples.count, samples[step] != Self.missing {
                last = Double(min(samples[step], Self.full)) / Double(Self.full) * cores
            }
            return last
        }
    }
}
