internal import Fleet
internal import Foundation

/// AIOpsLab's result of a session: one file of one task, `{session}_{start}.json`.
///
/// AIOpsLab's problems have one task each; a session here has four, and gives four files.
public struct AIOpsLabExport: Sendable {
    public init() {}

    private struct Entry: Encodable {
        var role: String
        var content: String
    }

    private struct Session: Encodable {
        var agent: String
        var session_id: String
        var problem_id: String
        var start_time: Double
        var end_time: Double
        var trace: [Entry]
        var results: [String: ActionValue]
    }

    /// - Parameter id: of the session, as files are named by it.
    public func files(_ trace: SessionTrace, _ grade: SessionGrade, id: String) throws -> [ExportFile] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return try grade.stages.map { stage in
            let steps = trace.steps.filter { $0.stage == stage.stage }
            let start = steps.first?.at ?? trace.startedAt
            let end = trace.submittedAt[stage.stage] ?? steps.last?.at ?? start
            let task = Self.task(stage.stage)
            let session = Session(
                agent: trace.agent, session_id: id,
                problem_id: "\(trace.problem.truth.mechanism)-\(task)-\(trace.problem.seed)",
                start_time: start.seconds, end_time: end.seconds,
                trace: steps.map { Entry(role: "assistant", content: $0.said) },
                results: Self.results(stage, steps: steps.count, seconds: end.since(start).inSeconds))
            let text = String(decoding: try encoder.encode(session), as: UTF8.self)
            return ExportFile(path: "\(id)-\(task)_\(Int(start.seconds)).json", contents: text + "\n")
        }
    }

    private static func task(_ stage: Stage) -> String {
        switch stage {
        case .detection: "detection"
        case .localisation: "localization"
        case .analysis: "analysis"
        case .mitigation: "mitigation"
        }
    }

    private static func results(
        _ grade: StageGrade, steps: Int, seconds: Double
    ) -> [String: ActionValue] {
        var results: [String: ActionValue] = ["steps": .integer(steps)]
        switch grade.stage {
        case .detection:
            results["TTD"] = .number(seconds)
            results["Detection Accuracy"] = .text(
                grade.isAnswered ? grade.score == 1 ? "Correct" : "Incorrect" : "Invalid Format")
        case .localisation:
            results["TTL"] = .number(seconds)
            results["Localization Accuracy"] = .number(100 * grade.score)
            results["is_subset"] = .bool(grade.score > 0)
            results["success"] = .bool(grade.isExact == true)
        case .analysis:
            results["TTA"] = .number(seconds)
            results["system_level_correct"] = .bool(grade.levelIsRightInAIOpsLab == true)
            results["fault_type_correct"] = .bool(grade.typeIsRight == true)
            results["success"] = .bool(grade.levelIsRightInAIOpsLab == true && grade.typeIsRight == true)
        case .mitigation:
            results["TTM"] = .number(grade.seconds ?? seconds)
            results["success"] = .bool(grade.score == 1)
        }
        return results
    }
}
