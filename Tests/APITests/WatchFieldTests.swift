import APITypes
import Fleet
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Store
import Testing

@testable import API

/// Field selectors of watches.
@Suite struct WatchFieldTests {
    private struct Batch: Decodable {
        struct Event: Decodable {
            var type: String
            var object: WireDocument
        }

        var events: [Event]
    }

    private static func version(_ client: any TestClientProtocol, _ path: String) async throws -> String {
        let answer = try await client.send(.get, path)
        return try JSONDecoder().decode(
            WireList<WireDocument>.self, from: Data(answer.body.readableBytesView)
        ).resourceVersion
    }

    /// `TYPE name` of each event, by long-poll; the stream must say the same.
    private static func events(
        _ client: any TestClientProtocol, _ path: String, _ selector: String, since: String
    ) async throws -> [String] {
        let query = "?fieldSelector=\(selector)&since=\(since)&wait=0"
        let answer = try await client.send(.get, path + query)
        #expect(answer.status == .ok, "\(answer.body)")
        let batch = try JSONDecoder().decode(Batch.self, from: Data(answer.body.readableBytesView))
        let stream = String(buffer: try await client.send(.get, path + query + "&watch=sse").body)
        let streamed = try stream.split(separator: "\n\n").map { line in
            try JSONDecoder().decode(JSONValue.self, from: Data(line.dropFirst("data: ".count).utf8))
        }.filter { $0["type"]?.string != "BOOKMARK" }
        #expect(streamed.compactMap { $0["type"]?.string } == batch.events.map(\.type))
        return batch.events.map { "\($0.type) \($0.object.metadata.name)" }
    }

    private static func write(
        _ client: any TestClientProtocol, _ name: String, _ score: String
    ) async throws {
        let body =
            #"{"metadata":{"name":"\#(name)"},"spec":{"placement":{"score":"\#(score)"},"type":"placement"}}"#
        let current = try await client.send(.get, "/v1/policies/\(name)")
        let answer =
            if let tag = current.headers[.eTag] {
                try await client.send(.put, "/v1/policies/\(name)", headers: [.ifMatch: tag], body: body)
            } else { try await client.send(.post, "/v1/policies", body: body) }
        #expect(answer.status.kind == .successful)
    }

    @Test func whatStopsToMatchLeavesAndWhatNeverMatchedStaysAway() async throws {
        try await APIFixture().test { client in
            let path = "/v1/policies"
            let start = try await Self.version(client, path)
            try await Self.write(client, "it", "waste")
            try await Self.write(client, "other", "waste")
            #expect(
                try await Self.events(client, path, "spec.placement.score=waste", since: start)
                    == ["MODIFIED it", "ADDED other"])
            #expect(
                try await Self.events(client, path, "spec.placement.score=best-fit", since: start)
                    == ["DELETED it"])
            #expect(try await Self.events(client, path, "name=other", since: start) == ["ADDED other"])
            #expect(
                try await Self.events(client, path, "name=it,spec.placement.score=first-fit", since: start)
                    == ["DELETED it"])
            #expect(try await Self.events(client, path, "name=none", since: start) == [])

            let middle = try await Self.version(client, path)
            let gone = try await client.send(.delete, "/v1/policies/other", headers: [.ifMatch: "*"])
            #expect(gone.status == .noContent)
            #expect(try await Self.events(client, path, "name=other", since: middle) == ["DELETED other"])
            #expect(try await Self.events(client, path, "name=it", since: middle) == [])
        }
    }

    @Test func documentsAreComparedByTheirCell() async throws {
        try await APIFixture().test { client in
            let start = try await Self.version(client, "/v1/hosts")
            let done = try await client.send(.post, "/v1/hosts/it/cordon", body: #"{"reason":"disk"}"#)
            #expect(done.status == .ok)
            #expect(
                try await Self.events(client, "/v1/hosts", "cell=it,spec.pool=it", since: start)
                    == ["MODIFIED it"])
            #expect(try await Self.events(client, "/v1/hosts", "cell=no", since: start) == ["DELETED it"])
        }
    }

    @Test func allocationsAreWatchedByHost() async throws {
        try await APIFixture().test { client in
            let start = try await Self.version(client, "/v1/hosts")
            #expect(
                try await Self.events(client, "/v1/allocations", "host=it,state=active", since: start) == [])
            let none = try await client.send(
                .get, "/v1/allocations?fieldSelector=host=none&since=\(start)&wait=0")
            #expect(none.problem?.code == .notFound)
        }
    }

    /// Each field of an allocation, without a store that fills one.
    @Test func fieldsOfAnAllocationThatNeverChangeKeepItOutOfView() throws {
        let allocation = Allocation(
            id: ID(UUID(uuid: (1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7))),
            workload: WorkloadReference(
                kind: .vm, uid: ID(UUID(uuid: (2, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7))),
                project: "shop", name: "web", part: "vm"),
            cell: "it", host: ID(UUID(uuid: (3, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7))),
            class: .standard, resources: Resources(milliCPU: 1, memoryMiB: 1), devices: [],
            createdAt: APIFixture.start)
        let object = try WatchedObjects.Rendered(allocation)
        func change(_ fields: [String: String]) -> WatchEvent.Change? {
            Watcher.Scope(kind: .allocation, labels: [:], fields: fields).change(.updated, of: object)
        }
        #expect(change(["workload": "web", "cell": "it", "host": allocation.host.description]) == .modified)
        for field in ["workload", "cell", "host"] { #expect(change([field: "x"]) == nil, "\(field)") }
        #expect(change(["state": allocation.state.rawValue]) == .modified)
        #expect(change(["state": "released"]) == .deleted)
    }
}
