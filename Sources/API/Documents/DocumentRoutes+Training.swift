internal import APITypes
internal import Control
internal import Fleet
internal import Foundation
internal import Hummingbird
internal import Store

extension DocumentRoutes {
    /// What becomes of a pool's training jobs with more hosts and jobs; changes nothing.
    func planTraining(_ request: Request, _ context: APIContext) async throws -> Response {
        let addition: TrainingAddition = try await RequestReader.read(request)
        let defects = addition.defects()
        guard defects.isEmpty else {
            throw Problem(.invalid, detail: "the request is not valid", causes: defects)
        }
        let name = try context.parameters.require("name")
        guard let preview = try await training.preview(ofPool: name, with: addition) else {
            throw StoreError.notFound(kind: .pool, name: name)
        }
        return try JSONAnswer.response(preview)
    }

    /// Why a training job runs as it does, or waits: what the last round of its cell wrote down.
    func whyTraining(_ request: Request, _ context: APIContext) async throws -> Response {
        let resource = try await existing(.trainingJob, context)
        let decoder = JSONDecoder()
        let spec = try decoder.decode(TrainingJobSpec.self, from: Data(resource.spec.utf8))
        let status =
            resource.status == "{}"
            ? TrainingJobStatus()
            : try decoder.decode(TrainingJobStatus.self, from: Data(resource.status.utf8))
        let aspect: Condition.Aspect = status.state == .pending ? .scheduled : .running
        let decisive = status.conditions.first { $0.type == aspect }
        let left = max(0, spec.steps - (status.shape == nil ? status.checkpointStep : status.stepsDone))
        let answer = try await training.answer(for: resource)
        let ends = status.state == .running ? status.secondsPerStep.map { Double(left) * $0 } : nil
        return try JSONAnswer.response(
            TrainingWhyResponse(
                project: resource.metadata.project, name: resource.metadata.name, state: status.state,
                reason: status.wait?.reason ?? decisive?.reason ?? .waitingForPlacement,
                message: status.wait?.message ?? decisive?.message ?? "no controller has looked at it yet",
                shape: status.shape, wait: status.wait, queuePosition: answer?.queuePosition,
                startsAt: answer?.startsAt, change: answer?.change, calibration: status.calibration,
                stepsLeft: status.state.isOver ? 0 : left,
                endsAt: ends.map { time.now().advanced(by: .seconds($0)) }))
    }
}

extension TrainingJobStatus {
    /// As measured, or else as predicted.
    fileprivate var secondsPerStep: Double? {
        iterationMilliseconds.map { $0 / 1000 } ?? shape?.secondsPerStep
    }
}
