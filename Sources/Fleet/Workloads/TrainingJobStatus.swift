/// Where a training job is in its life.
///
/// `Pending → Starting → Running → (Checkpointing → Pending → Starting →) Running → Succeeded`, or `Failed`.
/// While it is not pending or running it is left where it is.
public enum TrainingJobState: String, Sendable, Hashable, Codable, CaseIterable {
    case pending = "Pending"
    /// It holds its devices; not all ranks run yet.
    case starting = "Starting"
    case running = "Running"
    /// It was asked to put its state on disk and to end, for another shape or for another job.
    case checkpointing = "Checkpointing"
    /// It was asked to end, for good.
    case stopping = "Stopping"
    /// Ranks ended by themselves; the others are asked to.
    case failing = "Failing"
    /// A host lost contact and the ranks there run on, as far as anybody knows.
    case unknown = "Unknown"
    case succeeded = "Succeeded"
    case failed = "Failed"

    public var isOver: Bool { self == .succeeded || self == .failed }
}

/// Why a job waits: one reason, in numbers.
public struct TrainingWait: Sendable, Hashable, Codable {
    public var reason: Reason
    /// Devices that are missing of the shape that needs the fewest.
    public var shortfallDevices: Int
    /// The shape whose arrival would admit it, as devices per host.
    public var needs: [Int]
    /// When it is expected to start.
    public var startsAt: Timestamp?
    public var message: String

    public init(
        reason: Reason, shortfallDevices: Int = 0, needs: [Int] = [], startsAt: Timestamp? = nil,
        message: String
    ) {
        self.reason = reason
        self.shortfallDevices = shortfallDevices
        self.needs = needs
        self.startsAt = startsAt
        self.message = message
    }
}

/// How a job runs, or is about to.
public struct TrainingShape: Sendable, Hashable, Codable {
    /// Devices on each host, the most first.
    public var placement: [Int]
    public var plan: String
    /// As predicted.
    public var secondsPerStep: Double

    public init(placement: [Int], plan: String, secondsPerStep: Double) {
        self.placement = placement
        self.plan = plan
        self.secondsPerStep = secondsPerStep
    }
}

public struct TrainingJobStatus: Sendable, Hashable, Codable {
    public var state: TrainingJobState
    public var observedGeneration: Int
    public var cell: String?
    /// What it holds; nil while it waits.
    public var shape: TrainingShape?
    /// Sorted by name.
    public var parts: [PartStatus]
    /// As its ranks told last.
    public var stepsDone: Int
    /// Steps whose result is on disk.
    public var checkpointStep: Int
    /// Of the last steps, measured.
    public var iterationMilliseconds: Double?
    /// What measured steps changed of the prediction; nil while they agree with it.
    public var calibration: TrainingCalibration?
    /// Shapes that ran out of memory, and are not tried again; nil for none.
    public var ruledOut: [TrainingShape]?
    /// Why it waits; nil while it does not.
    public var wait: TrainingWait?
    /// Changes of shape and evictions.
    public var reconfigurations: Int
    /// Starts after ranks ended by themselves, or with a host.
    public var restarts: Int
    /// Ends by themselves in a row, without a step between.
    public var failures: Int
    public var pendingSince: Timestamp?
    public var startedAt: Timestamp?
    /// Since when it holds the shape.
    public var shapeSince: Timestamp?
    /// Since when all ranks of the shape run.
    public var runningAt: Timestamp?
    public var checkpointAt: Timestamp?
    public var finishedAt: Timestamp?
    /// Seconds that it held devices before the shape it has now.
    public var heldSeconds: Double
    public var conditions: [Condition]

    public init(
        state: TrainingJobState = .pending, observedGeneration: Int = 0, cell: String? = nil,
        shape: TrainingShape? = nil, parts: [PartStatus] = [], stepsDone: Int = 0, checkpointStep: Int = 0,
        iterationMilliseconds: Double? = nil, calibration: TrainingCalibration? = nil,
        ruledOut: [TrainingShape]? = nil, wait: TrainingWait? = nil, reconfigurations: Int = 0,
        restarts: Int = 0, failures: Int = 0, pendingSince: Timestamp? = nil, startedAt: Timestamp? = nil,
        shapeSince: Timestamp? = nil, runningAt: Timestamp? = nil, checkpointAt: Timestamp? = nil,
        finishedAt: Timestamp? = nil,
        heldSeconds: Double = 0, conditions: [Condition] = []
    ) {
        self.state = state
        self.observedGeneration = observedGeneration
        self.cell = cell
        self.shape = shape
        self.parts = parts
        self.stepsDone = stepsDone
        self.checkpointStep = checkpointStep
        self.iterationMilliseconds = iterationMilliseconds
        self.calibration = calibration
        self.ruledOut = ruledOut
        self.wait = wait
        self.reconfigurations = reconfigurations
        self.restarts = restarts
        self.failures = failures
        self.pendingSince = pendingSince
        self.startedAt = startedAt
        self.shapeSince = shapeSince
        self.runningAt = runningAt
        self.checkpointAt = checkpointAt
        self.finishedAt = finishedAt
        self.heldSeconds = heldSeconds
        self.conditions = conditions
    }
}
