internal import FaultLab
internal import Foundation
internal import World

/// Plays sessions again that `--export` kept: in a simulated world everything must be answered as it was.
struct ReplayRun {
    /// An export's folder, its `traces`, or one trace.
    var place: String

    struct NoTraces: Error, CustomStringConvertible {
        var place: String
        var description: String { "no traces were found in \(place)" }
    }

    /// - Parameter problem: template of the sessions to play; nil is all.
    /// - Returns: what became of them, and what was answered otherwise, a line for each session.
    func play(_ problem: String?) async throws -> (outcomes: [SessionRunner.Outcome], differences: [String]) {
        var outcomes: [SessionRunner.Outcome] = []
        var differences: [String] = []
        for trace in try traces() where problem.map({ $0 == trace.problem.template }) ?? true {
            let runner = SessionRunner(stages: trace.stages)
            let outcome = try await ProblemRun.play(trace.problem, ReplayAgent(trace), runner: runner)
            let steps = ReplayAgent.differences(trace, outcome.trace).map(String.init)
            if !steps.isEmpty {
                differences.append(
                    "\(trace.problem.name): answered otherwise in steps \(steps.joined(separator: ", "))")
            }
            outcomes.append(outcome)
        }
        guard !outcomes.isEmpty else { throw NoTraces(place: place) }
        return (outcomes, differences)
    }

    private func traces() throws -> [SessionTrace] {
        let url = URL(filePath: place)
        let folder = url.appending(path: "traces")
        let isExport = FileManager.default.fileExists(atPath: folder.path)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: place, isDirectory: &isFolder) else {
            throw NoTraces(place: place)
        }
        let files =
            isFolder.boolValue
            ? try FileManager.default.contentsOfDirectory(
                at: isExport ? folder : url, includingPropertiesForKeys: nil
            ).filter { $0.pathExtension == "json" }.sorted { $0.path < $1.path } : [url]
        return try files.map { try JSONDecoder().decode(SessionTrace.self, from: Data(contentsOf: $0)) }
    }
}
