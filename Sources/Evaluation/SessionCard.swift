internal import FaultLab
internal import Fleet

/// Where a session stands.
enum SessionState: String, Sendable, Codable {
    /// The fleet is made, and whatever is done to it is done.
    case preparing
    case active
    case done
    /// It could not be played, which counts neither for nor against the agent.
    case failed
    /// Ended before its time: by who asked for it, or with the server.
    case aborted

    var isOver: Bool { self != .preparing && self != .active }
}

/// What anyone who may see a session is told of it at any time: nothing of its problem.
struct SessionCard: Sendable, Codable {
    var id: String
    var agent: String
    var state: SessionState
    var stages: [Stage]
    /// What is asked now; nil before the beginning and after the end.
    var stage: Stage?
    /// Steps that were taken, and those that are left.
    var step: Int
    var stepsLeft: Int
    /// The fleet's clock; nil before the agent is asked.
    var now: Timestamp?
    var createdAt: Timestamp
    /// What went wrong, when it failed or was aborted.
    var message: String?
}

/// What an agent is answered to what it said.
struct SessionAnswer: Sendable, Codable {
    var session: String
    var state: SessionState
    /// What is asked next; nil at the end.
    var stage: Stage?
    /// Number of the step that this answers.
    var step: Int
    var stepsLeft: Int
    var now: Timestamp?
    var status: Observation.Status
    /// For agents that read texts.
    var text: String
    /// The same for programs: logs, metrics, spans and events in the forms of OpenTelemetry's JSON, else rows.
    var data: ActionValue?
    var truncated: Bool
    var cursor: Int?
    /// What an agent of AIOpsLab is asked next.
    var nextPrompt: String

    static let request = "Please take the next action"

    init(_ card: SessionCard, _ observation: Observation, bytes: Int) {
        session = card.id
        state = card.state
        stage = card.stage
        step = card.step
        stepsLeft = card.stepsLeft
        now = card.now
        status = observation.status
        text = observation.text(bytes: bytes)
        data = OpenTelemetryShape.of(observation.content) ?? Self.rows(observation.content)
        truncated = observation.isTruncated
        cursor = observation.cursor
        nextPrompt = "\(text)\n\(Self.request)"
    }

    private static func rows(_ content: ObservedContent) -> ActionValue? {
        switch content {
        case .alerts(let alerts):
            .list(
                alerts.map {
                    .mapping([
                        "name": .text($0.name), "component": .text($0.component.description),
                        "since": .text("\($0.since)"), "text": .text($0.text),
                    ])
                })
        case .rows(let rows): .list(rows.map { .mapping($0.mapValues(ActionValue.text)) })
        case .message, .logs, .metrics, .spans, .events: nil
        }
    }
}
