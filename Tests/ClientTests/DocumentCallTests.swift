import APITypes
import Client
import Fleet
import TestServer
import Testing

struct DocumentCallTests {
    @Test func pagesAreReadToTheEnd() async throws {
        let fixture = Fixture()
        try await fixture.run { client in
            for index in 0..<5 { _ = try await client.create(Fixture.draft("p\(index)"), in: Fixture.pools) }
            let listing = try await client.listAll(Fixture.pools)
            #expect(listing.items.map(\.metadata.name) == ["p0", "p1", "p2", "p3", "p4"])
            #expect(listing.resourceVersion == "6")
        }
    }

    @Test func changesCarryTheTagOfTheVersionSeen() async throws {
        let fixture = Fixture()
        try await fixture.run { client in
            let first = try await client.create(Fixture.draft("vms"), in: Fixture.pools)
            let draft = Fixture.draft("vms", placement: "first-fit")
            let second = try await client.replace(draft, in: Fixture.pools, match: .version(of: first))
            #expect(second.metadata.generation == 2)
            await #expect {
                _ = try await client.replace(draft, in: Fixture.pools, match: .version(of: first))
            } throws: { ($0 as? ClientError)?.isProblem(.preconditionFailed) == true }
        }
    }

    @Test func deletionAnswersWhatIsLeft() async throws {
        let fixture = Fixture()
        try await fixture.run { client in
            var held = try await client.create(Fixture.draft("held"), in: Fixture.pools)
            _ = try await client.create(Fixture.draft("free"), in: Fixture.pools)
            held.metadata.finalizers = [Finalizer.allocations]
            fixture.plane.put(held, at: "pools/held")
            #expect(try await client.delete("held", in: Fixture.pools)?.metadata.deletionTimestamp != nil)
            #expect(try await client.delete("free", in: Fixture.pools) == nil)
            #expect(try await client.find("free", in: Fixture.pools) == nil)
        }
    }

    @Test func aDryRunOfAVMExplainsItsPlacement() async throws {
        let fixture = Fixture()
        try await fixture.run { client in
            let draft = WireDraft(kind: Kind.vm.rawValue, metadata: .init(name: "web"), spec: .object([:]))
            let answer = try await client.dryRunCreate(draft, in: Collection(.vm, project: "shop"))
            #expect(answer.explanation?.feasible == 1)
            #expect(fixture.plane.documentCount == 0)
            #expect(try await client.dryRunCreate(Fixture.draft("p"), in: Fixture.pools).explanation == nil)
        }
    }

    @Test func namesAreEscapedInPaths() async throws {
        let fixture = Fixture()
        try await fixture.run { client in
            _ = try await client.find("a/../b c?", in: Fixture.pools)
        }
        #expect(fixture.plane.log("GET") == ["GET /v1/pools/a%2F..%2Fb%20c%3F"])
    }

    @Test func causesArriveWhole() async throws {
        let fixture = Fixture()
        try await fixture.run { client in
            var draft = Fixture.draft("vms")
            draft.spec = .object(["bogus": .integer(1)])
            await #expect {
                _ = try await client.create(draft, in: Fixture.pools)
            } throws: { ($0 as? ClientError)?.problem?.causes.map(\.field) == ["spec.bogus", "spec.cell"] }
        }
    }

    @Test func aProxysPageBecomesAProblem() async throws {
        let handler: TestServer.Handler = { request in
            request.path == "/v1/version"
                ? .answer(status: 502, body: Array("<html>bad gateway".utf8))
                : .answer(status: 418, body: Array("short and stout".utf8))
        }
        let fixture = Fixture()
        try await TestServer.with(handler) { server in
            let configuration = ClientConfiguration(servers: [try ServerAddress(server.address)])
            try await RESTClient.with(configuration, seams: fixture.seams) { client in
                await #expect {
                    _ = try await client.version()
                } throws: { ($0 as? ClientError)?.isProblem(.unavailable) == true }
                await #expect {
                    _ = try await client.cluster()
                } throws: {
                    ($0 as? ClientError) == .unintelligible("HTTP 418 without a problem: short and stout")
                }
            }
        }
    }
}
