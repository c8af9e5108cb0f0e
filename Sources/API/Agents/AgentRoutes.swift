internal import AgentProtocol
internal import APITypes
internal import Control
internal import Fleet
internal import Hummingbird
internal import Store

/// What agents call.
struct AgentRoutes {
    let store: any Store
    let sessions: AgentSessions
    let secrets: SecretSource
    let ids: any IDSource

    func add(to router: some RouterMethods<APIContext>) {
        router.post("/v1/agent/join") { request, _ in
            let join: JoinRequest = try await RequestReader.readTolerantly(request)
            let credential = self.secrets.next()
            let session = try await self.store.join(
                JoinSpending(
                    tokenHash: Authenticator.hash(join.token), session: ID(self.ids.next()),
                    name: join.session,
                    substrate: join.substrate, hosts: join.hosts,
                    credentialHash: Authenticator.hash(credential)))
            return try JSONAnswer.response(
                JoinResponse(session: session, credential: credential), status: .created)
        }
        router.post("/v1/agent/hello") { request, context in
            try JSONAnswer.response(
                try await self.sessions.hello(
                    try await RequestReader.readTolerantly(request), session: try Self.session(context)))
        }
        router.post("/v1/agent/poll") { request, context in
            try JSONAnswer.response(
                try await self.sessions.poll(
                    try await RequestReader.readTolerantly(request), session: try Self.session(context))
            )
        }
        router.post("/v1/agent/report") { request, context in
            try JSONAnswer.response(
                try await self.sessions.report(
                    try await RequestReader.readTolerantly(request), session: try Self.session(context)))
        }
        router.post("/v1/agent/usage") { request, context in
            let session = try Self.session(context)
            let usage: UsageRequest = try await RequestReader.readTolerantly(request)
            if let defect = usage.defect { throw Problem(.invalid, detail: defect) }
            return try JSONAnswer.response(try await self.sessions.usage(usage, session: session))
        }
        router.post("/v1/agent/logs") { request, context in
            try JSONAnswer.response(
                try await self.sessions.answer(
                    try await RequestReader.readTolerantly(request), session: try Self.session(context)))
        }
    }

    private static func session(_ context: APIContext) throws -> SessionRecord {
        guard case .agent(let agent) = context.caller else {
            throw Problem(.forbidden, detail: "only agent sessions call this path")
        }
        return agent.session
    }
}

/// Where new secrets come from.
package struct SecretSource: Sendable {
    private let make: @Sendable () -> String

    /// - Parameter make: at least 128 bits of the operating system's randomness in printable ASCII.
    package init(_ make: @escaping @Sendable () -> String) { self.make = make }

    func next() -> String { make() }
}
