import APITypes
import Fleet
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Store
import Testing
import VMPlacement

@testable import API

/// Models are kept, promoted and taken back.
@Suite struct ModelTests {
    /// A model that says one lifetime of every VM.
    private static func file(
        hours: Double = 1, error: Double = 0.5, data: String = "00ff", feature: String = "vcpu"
    ) throws -> String {
        let model = BoostedLifetimeModel(
            encoder: FeatureEncoder([ModelFeature(name: feature, kind: .number)]),
            trees: TreeEnsemble(base: Float(log10(hours * 3600)), featureCount: 1), calibration: .none)
        let file = LifetimeModelFile(
            model,
            training: .init(from: 0, until: 1, vms: 1, censored: 0, examples: 1, seed: 0, dataHash: data),
            metrics: .init(trees: 0, trainingError: 0.4, validationError: error), capSeconds: 604_800)
        return String(decoding: try file.data(), as: UTF8.self)
    }

    private static func draft(_ name: String, _ file: String) throws -> String {
        let draft = WireDraft(
            kind: "Model", metadata: .init(name: name),
            spec: .object(["file": .string(file), "description": .string("d")]))
        return String(decoding: try JSONEncoder().encode(draft), as: UTF8.self)
    }

    private static func push(
        _ client: any TestClientProtocol, _ name: String, _ file: String
    ) async throws -> TestResponse {
        try await client.send(.post, "/v1/models", body: try draft(name, file))
    }

    private static func verb(
        _ client: any TestClientProtocol, _ verb: String, _ name: String, _ body: String = "{}",
        _ query: String = ""
    ) async throws -> TestResponse {
        try await client.send(.post, "/v1/models/\(name)/\(verb)\(query)", body: body)
    }

    private static func state(_ client: any TestClientProtocol, _ name: String) async throws -> String? {
        let answer = try await client.send(.get, "/v1/models/\(name)")
        let document = try JSONDecoder().decode(
            WireDocument.self, from: Data(answer.body.readableBytesView))
        return document.status?["state"]?.string
    }

    @Test func aFileIsKeptAndAnsweredToTheByte() async throws {
        try await APIFixture().test { client in
            let file = try Self.file()
            let trial = try await client.send(
                .post, "/v1/models?dryRun=true", body: try Self.draft("one", file))
            #expect(trial.status == .ok && String(buffer: trial.body).contains("\"trees\":0"))
            #expect(try await client.send(.get, "/v1/models/one").status == .notFound)
            let made = try await Self.push(client, "one", file)
            #expect(made.status == .created && made.headers[.location] == "/v1/models/one")
            let answer = try await client.send(.get, "/v1/models/one/file")
            #expect(String(buffer: answer.body) == file)
            #expect(try await Self.push(client, "one", file).problem?.code == .alreadyExists)
            let list = try await client.send(.get, "/v1/models?fieldSelector=spec.training.dataHash=00ff")
            #expect(String(buffer: list.body).contains("\"one\""))
        }
    }

    @Test func whatIsWrongWithAFileIsNamed() async throws {
        try await APIFixture().test { client in
            let file = try Self.file()
            for (text, field) in [
                ("", "spec.file"), ("{}", "spec.file.format"), ("[1]", "spec.file"),
                (file.replacing("basalt-lifetime-model", with: "other"), "spec.file.format"),
                (file.replacing("\"version\":1", with: "\"version\":9"), "spec.file.version"),
                (
                    file.replacing("\"capSeconds\":604800", with: "\"capSeconds\":600000"),
                    "spec.file.checksum"
                ),
                (file.replacing("\"vms\":1", with: "\"vms\":\"x\""), "spec.file.training.vms"),
                (file.replacing(",\"vms\":1", with: ""), "spec.file.training.vms"),
                (file + String(repeating: " ", count: ModelSpec.fileLimit), "spec.file"),
            ] {
                let problem = try #require(try await Self.push(client, "one", text).problem)
                #expect(problem.status == 422, "\(text.prefix(40)) \(problem)")
                #expect(problem.causes.map(\.field) == [field], "\(text.prefix(40)) \(problem.causes)")
            }
            let several = try await client.send(
                .post, "/v1/models", body: #"{"metadata":{"name":"A"},"spec":{"file":"{}","fiel":1}}"#)
            #expect(
                several.problem?.causes.map(\.field) == ["metadata.name", "spec.fiel", "spec.file.format"])
        }
    }

    @Test func aModelNeverChanges() async throws {
        try await APIFixture().test { client in
            let made = try await Self.push(client, "one", try Self.file())
            let tag = try #require(made.headers[.eTag])
            func patch(_ body: String) async throws -> TestResponse {
                try await client.send(.patch, "/v1/models/one", headers: [.ifMatch: tag], body: body)
            }
            #expect(try await patch(#"{"spec":{"bytes":1}}"#).problem?.causes.map(\.code) == [.immutable])
            let file = try await patch(#"{"spec":{"file":"{}"}}"#).problem
            #expect(file?.causes.map(\.field) == ["spec.file"])
            #expect(
                try await patch(#"{"spec":{"description":"e"},"metadata":{"labels":{"a":"b"}}}"#).status
                    == .ok)
        }
    }

    @Test func aWorseModelIsRefusedAndAForcedOneTakenBack() async throws {
        try await APIFixture().test { client in
            for (name, error) in [("good", 0.4), ("bad", 0.6), ("best", 0.3)] {
                #expect(try await Self.push(client, name, try Self.file(error: error)).status == .created)
            }
            #expect(try await Self.verb(client, "promote", "good", "{}", "?dryRun=true").status == .ok)
            #expect(try await Self.state(client, "good") == nil)
            #expect(try await Self.verb(client, "promote", "good").status == .ok)
            // Again is no change.
            #expect(try await Self.verb(client, "promote", "good").status == .ok)
            let refused = try await Self.verb(client, "promote", "bad").problem
            #expect(refused?.code == .guardRefused)
            #expect(refused?.detail.contains("validation error 0.600 against 0.400") == true, "\(refused)")
            #expect(try await Self.state(client, "bad") == nil)
            // A pool of its own is held to the model that it goes by now.
            #expect(
                try await Self.verb(client, "promote", "bad", #"{"pool":"it"}"#).problem?.code
                    == .guardRefused)
            #expect(try await Self.verb(client, "promote", "bad", #"{"force":true}"#).status == .ok)
            #expect(try await Self.state(client, "good") == "retired")
            #expect(try await Self.verb(client, "promote", "best").status == .ok)
            let used = try await client.send(.delete, "/v1/models/best", headers: [.ifMatch: "*"])
            #expect(used.problem?.code == .inUse)

            // Back, and back once more.
            #expect(try await Self.verb(client, "rollback", "good").problem?.code == .guardRefused)
            #expect(try await Self.verb(client, "rollback", "best").status == .ok)
            #expect(try await Self.state(client, "bad") == "promoted")
            #expect(try await Self.verb(client, "rollback", "bad").status == .ok)
            #expect(try await Self.state(client, "good") == "promoted")
            let events = try await client.send(.get, "/v1/events?fieldSelector=name=good")
            #expect(String(buffer: events.body).contains("promoted again everywhere by user/admin"))
            #expect(
                try await client.send(.delete, "/v1/models/best", headers: [.ifMatch: "*"]).status
                    == .noContent)
        }
    }

    @Test func otherDataAndNoHistoryTellNothing() async throws {
        try await APIFixture().test { client in
            _ = try await Self.push(client, "one", try Self.file(data: "aa"))
            _ = try await Self.push(client, "two", try Self.file(data: "bb"))
            _ = try await Self.push(client, "trace", try Self.file(feature: "recent_lifetime"))
            #expect(try await Self.verb(client, "promote", "one").status == .ok)
            let refused = try await Self.verb(client, "promote", "two").problem
            #expect(refused?.detail.contains("nobody can tell") == true, "\(refused)")
            let feature = try await Self.verb(client, "promote", "trace").problem
            #expect(feature?.detail.contains("looks at recent_lifetime") == true)
        }
    }

    @Test func scopesThatAreNotThereAreRefused() async throws {
        try await APIFixture().test { client in
            _ = try await Self.push(client, "one", try Self.file())
            for (body, field) in [
                (#"{"pool":"none"}"#, "pool"), (#"{"cell":"none"}"#, "cell"),
                (#"{"cell":"it","pool":"it"}"#, "cell"), (#"{"pol":"it"}"#, "pol"),
            ] {
                let problem = try await Self.verb(client, "promote", "one", body).problem
                #expect(problem?.status == 422 && problem?.causes.map(\.field) == [field], "\(body)")
            }
            #expect(try await Self.verb(client, "promote", "none").problem?.code == .notFound)
            #expect(try await Self.verb(client, "promote", "one", #"{"cell":"it"}"#).status == .ok)
        }
    }

    @Test func historyIsPaged() async throws {
        try await APIFixture().test { client in
            let empty = try await client.send(.get, "/v1/vmhistory?fieldSelector=pool=it")
            #expect(empty.status == .ok && String(buffer: empty.body).hasPrefix("{\"items\":[]"))
            for query in ["cursor=x", "endedSince=yesterday", "fieldSelector=host=h", "limit=0", "since=1"] {
                let answer = try await client.send(.get, "/v1/vmhistory?\(query)")
                #expect(answer.status.code == 400, "\(query)")
            }
            let early = try await client.send(.get, "/v1/vmhistory?endedSince=0001-01-01T00:00:00Z")
            #expect(early.status == .ok)
        }
    }
}
