internal import APITypes
internal import FaultLab
internal import Foundation
internal import Hummingbird

/// The paths that drivers of SREGym ask for. They know of one session: that which is under way, or the one
/// that `?session=` names.
struct SREGymRoutes: Sendable {
    let server: EvaluationServer

    private var host: SessionHost { server.host }

    func add(to router: Router<BasicRequestContext>) {
        router.get("/status") { request, _ in
            let id = try await session(request)
            return try Answer.json(["stage": Self.stage(of: try await host.card(id))])
        }
        router.get("/get_app") { request, _ in
            let id = try await session(request)
            guard let brief = try await host.session(id).brief else {
                throw Problem(.unavailable, detail: "The fleet is being made.")
            }
            return try Answer.json(
                App(app_name: "basalt", namespace: "fleet", namespaces: ["fleet"], descriptions: brief))
        }
        router.post("/submit") { request, _ in
            let id = try await session(request)
            let body = try RequestBody(try await EvaluationServer.body(request), keys: ["solution"])
            let before = try await host.card(id)
            guard let stage = before.stage else {
                return try Answer.json(["status": Self.stage(of: before)])
            }
            let solution = Self.solution(try body.text("solution") ?? "", for: stage)
            try await host.session(id).submit(solution, for: stage)
            let after = try await host.card(id)
            return try Answer.json(["status": after.state.isOver ? "done" : "received"])
        }
    }

    private struct App: Encodable {
        var app_name: String
        var namespace: String
        var namespaces: [String]
        var descriptions: String
    }

    private func session(_ request: Request) async throws -> String {
        let named = request.uri.queryParameters["session"].map(String.init)
        let live = await host.cards().filter { !$0.state.isOver }
        let newest = await host.cards().first
        guard let id = named ?? (live.count == 1 ? live.first?.id : live.isEmpty ? newest?.id : nil) else {
            throw Problem(.guardRefused, detail: "Name the session: \(live.count) are under way.")
        }
        try await server.requireActor(request, in: id)
        return id
    }

    /// SREGym has two stages; what comes before the repair is its diagnosis.
    private static func stage(of card: SessionCard) -> String {
        switch card.state {
        case .preparing: "setup"
        case .active: card.stage == .mitigation ? "mitigation" : "diagnosis"
        case .done, .failed, .aborted: "done"
        }
    }

    /// A text as an answer of a stage: JSON where it is some, else words.
    static func solution(_ text: String, for stage: Stage) -> ActionValue? {
        if stage == .mitigation { return nil }
        if let value = try? JSONDecoder().decode(ActionValue.self, from: Data(text.utf8)) { return value }
        switch stage {
        case .localisation:
            let names = text.split { $0 == "," || $0.isWhitespace }.map { ActionValue.text(String($0)) }
            return .list(names)
        case .detection, .analysis, .mitigation: return .text(text)
        }
    }
}
