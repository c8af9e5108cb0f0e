import APITypes
import Fleet
import Foundation
import Hummingbird
import HummingbirdTesting
import Testing

@testable import API

/// Following the event log.
@Suite struct EventTests {
    private static func page(
        _ client: any TestClientProtocol, _ query: String
    ) async throws -> WireList<EventRecord> {
        let answer = try await client.send(.get, "/v1/events?\(query)")
        #expect(answer.status == .ok, "\(query)")
        return try JSONDecoder().decode(
            WireList<EventRecord>.self, from: Data(answer.body.readableBytesView))
    }

    @Test func whoFollowsAListSeesEachLaterEventOnce() async throws {
        try await APIFixture().test { client in
            let list = try await Self.page(client, "limit=2")
            #expect(list.items.count == 2)
            let follow = "wait=0&fieldSelector=kind=Host&since="
            #expect(try await Self.page(client, follow + list.resourceVersion).items.isEmpty)
            for verb in ["cordon", "uncordon"] {
                let done = try await client.send(
                    .post, "/v1/hosts/it/\(verb)", body: #"{"reason":"disk"}"#)
                #expect(done.status == .ok)
            }
            let all = try await Self.page(client, follow + list.resourceVersion)
            #expect(all.items.map(\.name) == ["it", "it"])
            let first = try await Self.page(client, "limit=1&" + follow + list.resourceVersion)
            #expect(first.items == [all.items[0]])
            let second = try await Self.page(client, "limit=1&" + follow + first.resourceVersion)
            #expect(second.items == [all.items[1]] && second.resourceVersion == all.resourceVersion)
            #expect(try await Self.page(client, follow + all.resourceVersion).items.isEmpty)
            for junk in ["12", "x", "9.1.1"] {
                let answer = try await client.send(.get, "/v1/events?wait=0&since=\(junk)")
                #expect(answer.problem?.code == .watchExpired, "\(junk)")
            }
        }
    }
}
