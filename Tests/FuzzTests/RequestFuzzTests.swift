import APITypes
import Fleet
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Store
import Testing

@testable import API

/// Whatever is sent, the API's readers answer a value or a typed problem that says where, and never end the
/// process.
@Suite(.serialized) struct RequestFuzzTests {
    private static let specs: [(Kind, String)] = [
        (.cell, #"{"description":"x"}"#),
        (.pool, #"{"admits":["vm"],"cell":"east","cpuRatioPerMille":2000}"#),
        (
            .policy,
            #"{"type":"oversubscription","oversubscription":{"mode":"managed","ratioMaxPerMille":3000}}"#
        ),
        (
            .policy,
            #"{"description":"x","placement":{"score":"best-fit"},"type":"placement"}"#
        ),
        (.host, #"{"cell":"east","cordonReason":"x","cordoned":true,"pool":"vms"}"#),
        (.flavor, #"{"devices":[{"count":1,"model":"H100"}],"resources":{"memoryMiB":1,"milliCPU":1}}"#),
        (.project, #"{"quota":{"devices":1,"memoryMiB":1,"milliCPU":1}}"#),
        (
            .vm,
            """
            {"antiAffinity":{"group":"g","scope":"rack"},"cell":"east","class":"spot","devices":[{"count":1,"model":\
            "H100"}],"hostSelector":{"a":"b"},"lifetimeHintSeconds":5,"onPartition":"stop","resources":{"memoryMiB":1,\
            "milliCPU":1}}
            """
        ),
        (
            .vmGroup,
            """
            {"antiAffinity":"rack","placement":"all","replicas":8,"template":{"labels":{"a":"b"},"spec":{"flavor":\
            "small"}}}
            """
        ),
    ]

    /// What is wrong with a problem; nil when it is one that a client can act on.
    private static func defect(_ problem: Problem) -> String? {
        if problem.status >= 500 { return "\(problem)" }
        if problem.code == .invalid, problem.causes.isEmpty { return "names no field: \(problem)" }
        return nil
    }

    private static func draft(_ mutator: inout Mutator) throws -> (Kind, JSONValue) {
        let (kind, spec) = mutator.pick(specs)
        let text = """
            {"apiVersion":"basalt/v1","kind":"\(kind.rawValue)","metadata":{"annotations":{"a":"b"},"labels":\
            {"tier":"web"},"name":"web-1"},"spec":\(spec)}
            """
        return (kind, try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)))
    }

    /// What was accepted reads as itself again.
    private static func read(_ body: Data, _ kind: Kind) throws -> String? {
        do {
            let first = try DraftReader.read(body, kind: kind, project: "shop")
            let again = #"{"metadata":{"name":"again"},"spec":\#(first.spec)}"#
            let second = try DraftReader.read(Data(again.utf8), kind: kind, project: "shop")
            return first.spec == second.spec ? nil : "\(first.spec) became \(second.spec)"
        } catch let problem as Problem {
            return defect(problem)
        }
    }

    @Test func documentsWithDamagedParts() throws {
        try Campaign("document trees").run { mutator in
            let (kind, draft) = try Self.draft(&mutator)
            var damaged = mutator.damaged(draft)
            for _ in 0..<mutator.below(3) { damaged = mutator.damaged(damaged) }
            return try Self.read(try JSONEncoder().encode(damaged), kind)
        }
    }

    @Test func documentsWithDamagedBytes() throws {
        try Campaign("document bytes").run { mutator in
            let (kind, draft) = try Self.draft(&mutator)
            let text = String(decoding: try JSONEncoder().encode(draft), as: UTF8.self)
            return try Self.read(Data(mutator.damaged(text)), kind)
        }
    }

    @Test func mergePatches() throws {
        try Campaign("merge patches").run { mutator in
            let (kind, draft) = try Self.draft(&mutator)
            let spec = String(decoding: try JSONEncoder().encode(draft["spec"]), as: UTF8.self)
            var resource = Resource(
                kind: kind,
                metadata: Metadata(
                    name: "web-1", uid: ID(UUID()), labels: ["tier": "web"], createdAt: Timestamp(seconds: 0)),
                spec: spec)
            do {
                try MergePatch.apply(mutator.damaged(mutator.damaged(draft)), to: &resource)
                let again = #"{"metadata":{"name":"again"},"spec":\#(resource.spec)}"#
                _ = try DraftReader.read(Data(again.utf8), kind: kind, project: "shop")
                return nil
            } catch let problem as Problem {
                return Self.defect(problem)
            }
        }
    }

    @Test func queries() throws {
        let seeds = [
            "limit=100&cursor=L3dlYi0x&labelSelector=tier=web,team==a&fieldSelector=name=web-1,cell=east",
            "wait=0.5s&since=1.812.4711", "watch=sse&since=1.812.0&wait=20",
        ]
        try Campaign("queries").run { mutator in
            let query = mutator.damaged(mutator.pick(seeds)).map { byte in
                byte > 32 && byte < 127 && byte != 35 ? String(UnicodeScalar(byte)) : "%" + Self.hex(byte)
            }.joined()
            let request = Request(
                head: HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/v1/vms?" + query),
                body: .init(buffer: ByteBuffer()))
            do {
                let parameters = try ListParameters(request, fields: ["name", "cell"])
                if let after = parameters.after {
                    let metadata = Metadata(
                        name: after.name, uid: ID(UUID()),
                        project: after.project.isEmpty ? nil : after.project,
                        createdAt: Timestamp(seconds: 0))
                    let path = "/v1/vms?cursor=" + ListParameters.cursor(metadata).replacing("+", with: "%2B")
                    let again = Request(
                        head: HTTPRequest(method: .get, scheme: nil, authority: nil, path: path),
                        body: .init(buffer: ByteBuffer()))
                    if try ListParameters(again, fields: []).after != after {
                        return "another cursor: \(query)"
                    }
                }
                return nil
            } catch let problem as Problem {
                return Self.defect(problem)
            }
        }
    }

    private static func hex(_ byte: UInt8) -> String {
        let text = String(byte, radix: 16)
        return text.count == 1 ? "0" + text : text
    }

    @Test func versionsAndTimes() throws {
        try Campaign("versions and times").run { mutator in
            let version = String(decoding: mutator.damaged("1.812.4711"), as: UTF8.self)
            if let cursor = FeedCursor(version), FeedCursor(cursor.text) != cursor { return version }
            let time = String(decoding: mutator.damaged("2026-01-02T03:04:05.678901+01:00"), as: UTF8.self)
            if let read = Timestamp(time), Timestamp(read.description) != read {
                return "\(time) became \(read.description)"
            }
            return nil
        }
    }
}
