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
    /// Steps that are left, and when they are done in the shape that it has; nil while it waits.
    public var stepsLeft: Int
    public var endsAt: Timestamp?

    public init(
        project: String?, name: String, state: TrainingJobState, reason: Reason, message: String,
        shape: TrainingShape?, wait: TrainingWait?, stepsLeft: Int, endsAt: Timestamp?
    ) {
        self.project = project
        self.name = name
        self.state = state
        self.reason = reason
        self.message = message
        self.shape = shape
        self.wait = wait
        self.stepsLeft = stepsLeft
        self.endsAt = endsAt
    }
}
