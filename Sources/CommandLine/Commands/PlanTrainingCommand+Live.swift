internal import APITypes
internal import Client
internal import Fleet

extension PlanTrainingCommand {
    /// What becomes of the jobs of a pool, now and with what was asked about.
    func preview(of pool: String, _ surroundings: Surroundings) async throws -> ExitStatus {
        guard case .plain(let format) = output else { return try await drawHistory(of: pool, surroundings) }
        let drafts = try files.drafts(surroundings)
        let preview = try await connection.connected(surroundings) { client, connection in
            let jobs = try drafts.map { sourced in
                guard sourced.kind == .trainingJob else {
                    throw CommandFailure("\(sourced.place) is no training job")
                }
                return TrainingAddition.Job(
                    project: try sourced.draft.metadata.project ?? projectOption.name(connection),
                    name: sourced.draft.metadata.name,
                    spec: try Serialization.value(TrainingJobSpec.self, from: sourced.draft.spec))
            }
            return try await client.planTraining(
                pool: pool,
                TrainingAddition(
                    hosts: hosts, deviceModel: deviceModel, jobs: jobs.isEmpty ? nil : jobs))
        }
        var options = OutputOptions()
        options.output = format
        options.show(try Self.presentation(of: preview), surroundings)
        return .done
    }

    static func presentation(of preview: TrainingPreview) throws -> Presentation {
        let table = Table(
            [
                .init("NAME"), .init("STATE"), .init("STARTS-NOW"), .init("STARTS-THEN"),
                .init("DEVICES-THEN", .always, .right), .init("PLAN-THEN", .roomy), .init("ENDS-NOW", .wide),
                .init("ENDS-THEN", .wide), .init("REASON-THEN", .wide),
            ],
            preview.jobs.map { job in
                let devices = job.then?.shape.map { $0.placement.map(String.init).joined(separator: "+") }
                return [
                    Text(job.name, job.isNew == true ? .warning : .plain),
                    job.isNew == true ? Text("new") : Text(job.state.rawValue, job.state.tone),
                    Text(start(job.now)), Text(start(job.then)), Text(devices ?? "-"),
                    Text(job.then?.shape?.plan ?? "-"),
                    Text(job.now?.endsAt.map { "\($0)" } ?? "-"),
                    Text(job.then?.endsAt.map { "\($0)" } ?? "-"),
                    Text(job.then?.reason?.rawValue ?? "-"),
                ]
            })
        return Presentation(
            [.table(table)], names: preview.jobs.map(\.name), value: try Serialization.tree(preview))
    }

    /// Seconds tell enough: it is a forecast.
    private static func start(_ outcome: TrainingPreview.Outcome?) -> String {
        guard let outcome else { return "-" }
        if outcome.position == nil { return "runs" }
        if outcome.reason == nil { return "at once" }
        guard let time = outcome.startsAt else { return "unknown" }
        return "\(Timestamp(seconds: time.seconds.rounded()))"
    }
}
