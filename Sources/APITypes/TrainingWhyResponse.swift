public import Fleet

/// `GET …/trainingjobs/NAME/why`: why a job runs as it does, or waits.
public struct TrainingWhyResponse: Sendable, Hashable, Codable {
    public var project: String?
    public var name: String
    public var state: TrainingJobState
    /// One reason; what else is in the way is behind it.
    public var reason: Reason
    public var message: String
    /// What it holds; nil while it waits.
    public var shape: TrainingShape?
    /// What it waits for, in numbers; nil while it does not.
    public var wait: TrainingWait?
    /// Place in the order of starts, from 1; nil while it does not wait.
    public var queuePosition: Int?
    /// When it is expected to start; nil while it does not wait, or that is too far off.
    public var startsAt: Timestamp?
    /// The least that would start it now; nil while it does not wait, or where nothing small does.
    public var change: TrainingChange?
    /// What measured steps changed of its prediction; nil while they agree with it.
    public var calibration: TrainingCalibration?
    /// Steps that are left, and when they are done in the shape that it has; nil while it waits.
    public var stepsLeft: Int
    public var endsAt: Timestamp?

    public init(
        project: String?, name: String, state: TrainingJobState, reason: Reason, message: String,
        shape: TrainingShape?, wait: TrainingWait?, queuePosition: Int? = nil, startsAt: Timestamp? = nil,
        change: TrainingChange? = nil, calibration: TrainingCalibration? = nil, stepsLeft: Int,
        endsAt: Timestamp?
    ) {
        self.project = project
        self.name = name
        self.state = state
        self.reason = reason
        self.message = message
        self.shape = shape
        self.wait = wait
        self.queuePosition = queuePosition
        self.startsAt = startsAt
        self.change = change
        self.calibration = calibration
        self.stepsLeft = stepsLeft
        self.endsAt = endsAt
    }
}
