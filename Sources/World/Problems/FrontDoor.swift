internal import API
internal import Control
internal import FaultLab
internal import Fleet
internal import Foundation
internal import Store
internal import Synchronization

/// The product's own API in a world: what an agent writes is authenticated, authorised, validated and audited
/// as what any operator writes, and fails when the database does.
final class FrontDoor: Sendable {
    /// Of the agent's token: an operator, who is no administrator.
    static let caller = "aiops-agent"
    private static let token = "bsl_agent-of-a-simulated-world"

    private let world: World
    private let api: LocalAPI

    init(_ world: World) {
        self.world = world
        let clock = world.clock
        let time = Timekeeper(
            now: { clock.wall }, sleep: { try await clock.sleep(for: $0) },
            uptime: { .microseconds(clock.now) })
        let store = StoreLink(
            store: world.store, process: SimulatedProcess(clock: clock), conditions: world.conditions,
            seed: world.seed(for: "api"))
        let logger = world.logger("api")
        let hub = FeedHub(store: store, time: time, logger: logger)
        let limits = CellLimits()
        let server = APIServer(
            APIServer.Parts(
                store: store, hub: hub,
                sessions: AgentSessions(store: store, hub: hub, ids: world.ids, terms: limits.terms),
                supervisor: nil, ids: world.ids, time: time, secret: { "" },
                uptime: { .microseconds(clock.now) }))
        api = LocalAPI(server, logger: logger)
    }

    /// Makes the agent's token.
    func open() async throws {
        try await world.store.createToken(
            AccessToken(
                name: Self.caller, role: .operator, secretHash: LocalAPI.hash(Self.token), expiresAt: nil),
            context: WriteContext(actor: "user/world", verb: "create"), isTrial: false)
    }

    /// What was answered, in the words of an observation.
    struct Answer {
        var status: Int
        var text: String
        var entityTag: String?

        var isRefused: Bool { status >= 300 }

        /// What the API says of a refusal.
        func observation(_ done: String) -> Observation {
            guard isRefused else { return .message(done) }
            let problem = try? JSONDecoder().decode(Told.self, from: Data(text.utf8))
            let causes = (problem?.causes ?? []).map { "\($0.field) \($0.message)" }.joined(separator: "; ")
            let detail = [problem?.detail ?? "", causes].filter { !$0.isEmpty }.joined(separator: ": ")
            // Refused by the rules, or failed by the way.
            return .message("\(status) \(detail)", status: status >= 500 ? .error : .blocked)
        }

        private struct Told: Decodable {
            struct Cause: Decodable {
                var field: String
                var message: String
            }

            var detail: String
            var causes: [Cause]?
        }
    }

    func send(
        _ method: String, _ path: String, _ body: String? = nil, ifMatch: String? = nil
    ) async throws -> Answer {
        let answer = try await api.send(
            method, "/v1/" + path, token: Self.token, body: body, ifMatch: ifMatch)
        return Answer(status: answer.status, text: answer.text, entityTag: answer.entityTag)
    }

    /// Changes a document that may be changed by others meanwhile.
    ///
    /// - Parameter change: a merge patch.
    func patch(_ path: String, _ change: some Encodable) async throws -> Answer {
        let body = try Workload.text(change)
        var answer = Answer(status: 412, text: "{}")
        for _ in 0..<Self.tries where answer.status == 412 {
            let found = try await send("GET", path)
            guard !found.isRefused else { return found }
            answer = try await send("PATCH", path, body, ifMatch: found.entityTag)
        }
        return answer
    }

    private static let tries = 5
}
