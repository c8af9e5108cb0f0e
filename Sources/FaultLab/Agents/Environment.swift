public import Fleet

/// What an agent acts on.
public protocol Environment: AnyObject {
    var now: Timestamp { get }

    /// Carries out what is not `submit`. What fails is said in the observation.
    func perform(_ action: AgentAction) async -> Observation
}

/// An environment as its driver sees it: where a problem is made, judged and cleared away. One for each
/// session.
public protocol ProblemGround: Environment {
    /// Warms the fleet up and says how it is.
    func settle() async throws -> FleetState

    /// Injects the problem's faults at their moments; returns when the last one is in effect or could be.
    func inject() async throws

    /// Whether each fault can be seen in the fleet. True where there is none.
    func showsEffect() async -> Bool

    func state() async -> FleetState

    func pass(_ duration: Duration) async

    /// What it said of itself since it was settled.
    func telemetry() async -> SessionTelemetry

    /// Ends all faults and says what is left of them.
    func recover() async -> [String]
}

/// An agent that is a program: a value, so that it can be played again.
public protocol ScriptedAgent: Sendable {
    var name: String { get }

    mutating func turn(_ view: AgentView) -> AgentTurn
}

/// What an agent knows when it is asked.
public struct AgentView: Sendable, Hashable, Codable {
    public var stage: Stage
    /// From 1.
    public var step: Int
    public var stepsLeft: Int
    public var now: Timestamp
    /// What it is told at the start of the session.
    public var brief: String
    /// What its last action answered; nil at the start.
    public var last: Observation?

    public init(
        stage: Stage, step: Int, stepsLeft: Int, now: Timestamp, brief: String, last: Observation?
    ) {
        self.stage = stage
        self.step = step
        self.stepsLeft = stepsLeft
        self.now = now
        self.brief = brief
        self.last = last
    }
}
