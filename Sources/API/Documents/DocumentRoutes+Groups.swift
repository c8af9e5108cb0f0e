internal import APITypes
internal import Control
internal import Fleet
internal import Hummingbird

extension DocumentRoutes {
    /// Why the members of a group are where they are, or nowhere.
    func whyGroup(_ request: Request, _ context: APIContext) async throws -> Response {
        let resource = try await existing(.vmGroup, context)
        let answer = try await explainer.answer(forGroup: resource)
        let aspect: Condition.Aspect = answer.status.state == .pending ? .scheduled : .running
        let decisive = answer.status.conditions.first { $0.type == aspect }
        return try JSONAnswer.response(
            WhyResponse(
                kind: .vmGroup, project: resource.metadata.project, name: resource.metadata.name,
                state: answer.status.state, reason: decisive?.reason ?? .waitingForPlacement,
                message: decisive?.message ?? "no controller has looked at it yet",
                queuePosition: answer.queuePosition, explanation: answer.explanation))
    }
}
