import AgentProtocol
import Fleet
import Store
import Testing

@Suite("Joining", .postgresServer)
struct JoinTests {
    private func spend(
        _ scene: Scene, token: String = "t", hosts: [String] = ["h1"], credential: String = "c"
    ) async throws -> ID<AgentSession> {
        try await scene.store.join(
            JoinSpending(
                tokenHash: token, session: scene.ids.id(), name: "s", substrate: "simulated", hosts: hosts,
                credentialHash: credential))
    }

    private func expectRefused(_ join: () async throws -> ID<AgentSession>) async {
        let error = await #expect(throws: StoreError.self) { _ = try await join() }
        guard case .unauthorized = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("a token is spent once, in time, for its hosts", arguments: StoreImplementation.all)
    func spending(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let context = WriteContext(actor: "user/ann", verb: "create")
            for hash in ["t", "late"] {
                try await scene.store.createJoinToken(
                    JoinToken(
                        secretHash: hash, cell: "a", pool: "p", hostPattern: "h*", lifetime: .seconds(60)),
                    context: context)
            }
            #expect(try await scene.audit().first?.kind == .token)
            await expectRefused { try await spend(scene, token: "none") }
            await expectRefused { try await spend(scene, hosts: ["h1", "x1"]) }
            let id = try await spend(scene)
            await expectRefused { try await spend(scene, credential: "d") }
            try await scene.advance(60)
            await expectRefused { try await spend(scene, token: "late", credential: "d") }
            let session = try #require(try await scene.store.session(credentialHash: "c"))
            #expect(session.id == id && session.cell == "a" && session.pool == "p")
            #expect(session.hostPattern == "h*" && session.incarnation == 0 && session.renewedAt == nil)
            #expect(try await scene.store.session(credentialHash: "d") == nil)
            #expect(try await scene.store.sessions() == [session])
        }
    }
}
