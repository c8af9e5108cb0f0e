import APITypes
import Fleet
import Foundation
import Testing

@testable import API

/// `Policies/schema` says what the server's reader takes, and nothing else.
@Suite struct PolicySchemaTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Policies")

    private let schemas: [String: JSONSchema]
    private let examples: [(name: String, value: JSONValue)]

    init() throws {
        var schemas: [String: JSONSchema] = [:]
        for subject in PolicySpec.Subject.allCases {
            let file = Self.folder.appending(path: "schema/\(subject.rawValue).schema.json")
            schemas[subject.rawValue] = JSONSchema(
                root: try JSONDecoder().decode(JSONValue.self, from: Data(contentsOf: file)))
        }
        self.schemas = schemas
        let names = try FileManager.default.contentsOfDirectory(
            atPath: Self.folder.appending(path: "examples").path)
        examples = try names.sorted().map { name in
            let text = try String(
                contentsOf: Self.folder.appending(path: "examples/\(name)"), encoding: .utf8)
            return (name, try YAMLTree.parse(text))
        }
    }

    /// Why the server refuses a document; nil when it takes it.
    private static func refusal(_ document: JSONValue) throws -> Problem? {
        do {
            _ = try DraftReader.read(try JSONEncoder().encode(document), kind: .policy, project: nil)
            return nil
        } catch let problem as Problem {
            return problem
        }
    }

    @Test func everyTypeHasASchema() throws {
        let names = try FileManager.default.contentsOfDirectory(
            atPath: Self.folder.appending(path: "schema").path)
        #expect(names.sorted() == PolicySpec.Subject.allCases.map { "\($0.rawValue).schema.json" }.sorted())
    }

    @Test func examplesAreTakenByBoth() throws {
        #expect(examples.count >= 2)
        for (name, value) in examples {
            let schema = try #require(schemas[value["spec"]?["type"]?.string ?? ""])
            #expect(try schema.accepts(value), "\(name)")
            #expect(try Self.refusal(value) == nil, "\(name)")
        }
    }

    /// Every value at every place, and every place left out: one takes what the other takes.
    @Test(arguments: PolicySpec.Subject.allCases)
    func theSchemaAndTheReaderAgree(_ subject: PolicySpec.Subject) throws {
        let schema = try #require(schemas[subject.rawValue])
        let base = try #require(examples.first { $0.value["spec"]?["type"]?.string == subject.rawValue })
            .value
        var (taken, refused) = (0, 0)
        for path in Self.places + (Self.rules[subject] ?? []) {
            // A request may leave out what its path says; a file may not.
            let isImplied = path == ["kind"]
            for value in Self.values + Self.amounts + (isImplied ? [] : [nil]) {
                // A file is of the type that its schema is named by.
                if path == ["spec"], let type = value?["type"]?.string, type != subject.rawValue { continue }
                let document = base.setting(value, at: path[...])
                let problem = try Self.refusal(document)
                let accepted = try schema.accepts(document)
                #expect(
                    accepted == (problem == nil),
                    "\(path.joined(separator: ".")) = \(String(describing: value)): \(problem?.causes ?? [])")
                if accepted { taken += 1 } else { refused += 1 }
            }
        }
        #expect(taken > 20 && refused > 200, "\(taken) taken, \(refused) refused")
    }

    private static let places: [[String]] = [
        ["apiVersion"], ["kind"], ["metadata"], ["metadata", "name"], ["metadata", "labels"],
        ["metadata", "annotations"], ["metadata", "title"], ["spec"], ["spec", "type"],
        ["spec", "description"], ["spec", "placement"], ["spec", "placement", "score"],
        ["spec", "placement", "predictor"], ["spec", "placement", "model"],
        ["spec", "placement", "retraining"], ["spec", "placement", "retraining", "everyHours"],
        ["spec", "placement", "retraining", "keep"], ["spec", "placement", "retraining", "labels"],
        ["spec", "placement", "retraining", "vms"], ["spec", "placement", "retraining", "promotes"],
        ["spec", "placement", "scores"], ["spec", "scores"], ["other"],
    ]

    private static let rules: [PolicySpec.Subject: [[String]]] = [
        .oversubscription: [
            "mode", "algorithm", "ratioPerMille", "ratioMaxPerMille", "riskTarget",
            "windowSeconds", "maxStepUpPerMille", "maxUtilizationPerMille", "review", "reason", "parameters",
            "ratio",
        ].map { ["spec", "oversubscription", $0] } + [
            ["spec", "oversubscription"], ["spec", "oversubscription", "parameters", "prototypes"],
            ["spec", "oversubscription", "parameters", "ridge"],
        ]
    ]

    private static let amounts: [JSONValue?] = [
        .integer(1000), .integer(2000), .integer(16_000), .integer(16_001), .integer(0), .number(0.05),
        .string("pinned"), .string("shadow"), .string("proto-rate"), .string("always"),
    ]

    private static let values: [JSONValue?] =
        PoolSpec.Placement.allCases.map { .string($0.rawValue) }
        + [
            .null, .bool(true), .integer(0), .integer(1), .integer(500), .integer(9000), .string("gbdt"),
            .number(1.5), .string(""), .string("Best-Fit"),
            .string("placement"), .string("Policy"), .string("Pool"), .string("basalt/v1"),
            .string(String(repeating: "a", count: 63)), .string(String(repeating: "a", count: 64)),
            .string(String(repeating: "é", count: 1000)), .string(String(repeating: "é", count: 1001)),
            .string("-a"), .array([]), .array([.string("best-fit")]), .object([:]),
            .object(["a": .string("b")]), .object(["a": .integer(1)]), .object(["": .string("b")]),
            .object(["a": .string("\u{1}")]), .object(["name": .string("b")]),
            .object(["score": .string("waste")]), .object(["score": .string("nilas")]),
            .object(["type": .string("placement")]),
            .object(Dictionary(uniqueKeysWithValues: (0..<65).map { ("k\($0)", .string("v")) })),
            .object([
                "type": .string("placement"), "placement": .object(["score": .string("first-fit")]),
            ]),
        ]

    @Test(arguments: [
        ("best-fti", "spec.placement.score", "\"best-fti\" is not known; the nearest is \"best-fit\""),
        ("nilass", "spec.placement.score", "\"nilass\" is not known; the nearest is \"nilas\""),
        ("newest", "spec.placement.score", "\"newest\" is not known"),
    ])
    func aWrongScoreIsToldTheNearest(_ score: String, _ field: String, _ message: String) throws {
        let base = try #require(examples.first { $0.name == "dense.yaml" }).value
        let document = base.setting(.string(score), at: ["spec", "placement", "score"])
        let cause = try #require(try Self.refusal(document)?.causes.first)
        #expect(cause.field == field && cause.message.contains(message), "\(cause)")
    }
}

extension JSONValue {
    /// The value with another one, or nothing, at a place.
    fileprivate func setting(_ value: JSONValue?, at path: ArraySlice<String>) -> JSONValue {
        guard let name = path.first else { return value ?? .null }
        var members = object ?? [:]
        if path.count == 1 {
            members[name] = value
        } else {
            members[name] = (members[name] ?? .object([:])).setting(value, at: path.dropFirst())
        }
        return .object(members)
    }
}
