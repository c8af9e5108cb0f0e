/// A job as it was submitted.
public struct TrainingJob: Sendable, Hashable {
    /// Settles all ties; unique.
    public var id: Int
    public var name: String
    /// Index of the tenant.
    public var tenant: Int
    /// Runs at least as fast as submitted, or not at all.
    public var isGuaranteed: Bool
    /// What it asked for.
    public var submitted: SpeedPoint
    /// All that it may run as, fastest first.
    public var options: [SpeedPoint]
    /// Seconds.
    public var submittedAt: Double
    /// Of the global batch.
    public var steps: Double

    /// - Parameter curve: what the job may run as; a guaranteed job never takes what is slower than
    ///   submitted.
    public init(
        id: Int, name: String, tenant: Int = 0, isGuaranteed: Bool = false, submitted: SpeedPoint,
        curve: SpeedCurve, submittedAt: Double, steps: Double
    ) {
        self.id = id
        self.name = name
        self.tenant = tenant
        self.isGuaranteed = isGuaranteed
        self.submitted = submitted
        self.submittedAt = submittedAt
        self.steps = steps
        options = curve.points.filter { !isGuaranteed || $0.secondsPerStep <= submitted.secondsPerStep }
            .sorted {
                $0.secondsPerStep != $1.secondsPerStep
                    ? $0.secondsPerStep < $1.secondsPerStep : SpeedPoint.precedes($0, $1)
            }
        leastWork = options.map(\.work).min() ?? .infinity
    }

    /// GPU-seconds of a step where they are used best.
    public let leastWork: Double

    /// Least of the GPUs that it can run on.
    public var leastGPUs: Int { options.map(\.gpus).min() ?? 0 }
}
