import APITypes
import Fleet
import Foundation
import Hummingbird
import HummingbirdTesting
import Testing

@testable import API

/// Bearer tokens that there are, and those that are taken back.
@Suite struct TokenTests {
    @Test func tokensAreListedInPagesWithoutTheirSecrets() async throws {
        try await APIFixture().test { client in
            var names: [String] = []
            var cursor: String?
            repeat {
                let uri = "/v1/tokens?limit=2" + (cursor.map { "&cursor=\($0)" } ?? "")
                let answer = try await client.send(.get, uri)
                #expect(!String(buffer: answer.body).contains("ecret"))
                let page = try JSONDecoder().decode(
                    WireList<TokenSummary>.self, from: Data(answer.body.readableBytesView))
                names += page.items.map(\.name)
                cursor = page.nextCursor
            } while cursor != nil
            #expect(names == ["admin", "operator", "operator-shop", "viewer", "viewer-shop"])
        }
    }

    @Test func aRevokedTokenOpensNothingOnceItIsNoLongerBelieved() async throws {
        let fixture = try await APIFixture()
        try await fixture.test { client in
            #expect(try await client.send(.get, "/v1/cells", as: "viewer").status == .ok)
            let trial = try await client.send(.delete, "/v1/tokens/viewer?dryRun=true")
            #expect(trial.status == .ok && String(buffer: trial.body).contains("viewer"))
            #expect(try await client.send(.delete, "/v1/tokens/viewer").status == .noContent)
            fixture.uptime.advance(by: Authenticator.believedFor)
            #expect(try await client.send(.get, "/v1/cells", as: "viewer").status == .unauthorized)
            for query in ["", "?dryRun=true"] {
                let again = try await client.send(.delete, "/v1/tokens/viewer" + query)
                #expect(again.problem?.code == .notFound)
            }
            // Who takes away what they act with is stopped.
            let own = try await client.send(.delete, "/v1/tokens/admin")
            #expect(own.problem?.code == .guardRefused)
            #expect(try await client.send(.delete, "/v1/tokens/X!").problem?.code == .notFound)
        }
    }
}
