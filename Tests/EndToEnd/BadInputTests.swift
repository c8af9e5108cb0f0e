import APITypes
import Client
import Fleet
import Foundation
import NIOHTTP1
import Testing

extension EndToEndTests {
    /// What clients get wrong, each with the answer that it gets; the table is a page of the documentation.
    @Suite struct BadInputTests {
        private struct Row {
            var what: String
            var request: RawRequest
            var status: Int
            var code: ProblemCode
            var field: String?

            init(
                _ what: String, _ request: RawRequest, _ status: Int, _ code: ProblemCode,
                field: String? = nil
            ) {
                (self.what, self.request, self.status) = (what, request, status)
                (self.code, self.field) = (code, field)
            }

            var line: String {
                "| \(what) | \(status) | `\(code.rawValue)` | \(field.map { "`\($0)`" } ?? "") |"
            }
        }

        private static let vms = "/v1/projects/shop/vms"

        private static func vm(
            _ name: String = "web", resources: String = #"{"milliCPU":1000,"memoryMiB":1024}"#,
            more: String = ""
        ) -> Data {
            Data(
                """
                {"apiVersion":"basalt/v1","kind":"VM","metadata":{"name":"\(name)"},
                 "spec":{"cell":"east","resources":\(resources)\(more)}}
                """.utf8)
        }

        private static func text(_ text: String) -> Data { Data(text.utf8) }

        private static var bodies: [Row] {
            let deep = String(repeating: "[", count: 10_000) + String(repeating: "]", count: 10_000)
            let twice = #"{"metadata":{"name":"a","name":"b"},"spec":{}}"#
            return [
                Row("no JSON", .init(path: vms, body: text("{")), 400, .malformedRequest),
                Row("YAML", .init(path: vms, body: text("kind: VM\n")), 400, .malformedRequest),
                Row("an empty body", .init(path: vms, body: Data()), 400, .malformedRequest),
                Row("no UTF-8", .init(path: vms, body: Data([0xFF, 0xFE, 0x00])), 400, .malformedRequest),
                Row(
                    "no UTF-8 inside a text",
                    .init(path: vms, body: text(#"{"a":""#) + [0xC3, 0x28] + text(#""}"#)),
                    400, .malformedRequest),
                Row("10,000 nested lists", .init(path: vms, body: text(deep)), 400, .malformedRequest),
                Row("a body of 2 MB", .init(path: vms, body: Data(count: 2 << 20)), 413, .tooLarge),
                Row("a body of 50 MB", .init(path: vms, body: Data(count: 50 << 20)), 413, .tooLarge),
                Row(
                    "a field twice", .init(path: vms, body: text(twice)), 422, .invalid,
                    field: "metadata.name"),
                Row(
                    "a field of null", .init(path: vms, body: vm(more: #","pool":null"#)), 422, .invalid,
                    field: "spec.pool"),
                Row(
                    "a text with U+0000", .init(path: vms, body: vm(more: #","pool":"a\u0000b""#)), 422,
                    .invalid,
                    field: "spec.pool"),
                Row(
                    "a body of another type",
                    .init(path: vms, body: vm(), headers: [("content-type", "application/yaml")]), 415,
                    .unsupportedMediaType),
            ]
        }

        private static var documents: [Row] {
            [
                Row(
                    "an unknown field", .init(path: vms, body: vm(more: #","colour":"red""#)), 422, .invalid,
                    field: "spec.colour"),
                Row(
                    "an unknown field of the metadata",
                    .init(path: vms, body: text(#"{"metadata":{"name":"a","label":{}},"spec":{}}"#)), 422,
                    .invalid,
                    field: "metadata.label"),
                Row(
                    "negative resources",
                    .init(path: vms, body: vm(resources: #"{"milliCPU":-1,"memoryMiB":-5}"#)),
                    422, .invalid, field: "spec.resources.milliCPU"),
                Row(
                    "huge resources",
                    .init(path: vms, body: vm(resources: #"{"milliCPU":99999999999,"memoryMiB":1024}"#)), 422,
                    .invalid, field: "spec.resources.milliCPU"),
                Row(
                    "resources beyond 64 bits",
                    .init(
                        path: vms,
                        body: vm(resources: #"{"milliCPU":99999999999999999999999,"memoryMiB":1024}"#)),
                    422, .invalid, field: "spec.resources.milliCPU"),
                Row(
                    "a fraction of an integer",
                    .init(path: vms, body: vm(resources: #"{"milliCPU":1.5,"memoryMiB":1024}"#)), 422,
                    .invalid,
                    field: "spec.resources.milliCPU"),
                Row(
                    "a value of another type", .init(path: vms, body: vm(resources: #""many""#)), 422,
                    .invalid,
                    field: "spec.resources"),
                Row(
                    "another kind",
                    .init(path: vms, body: text(#"{"kind":"Pod","metadata":{"name":"p"},"spec":{}}"#)), 422,
                    .invalid,
                    field: "kind"),
                Row(
                    "no name", .init(path: vms, body: vm("Not_A_Name")), 422, .invalid, field: "metadata.name"
                ),
                Row("an empty name", .init(path: vms, body: vm("")), 422, .invalid, field: "metadata.name"),
                Row(
                    "a name of 5,000 letters",
                    .init(path: vms, body: vm(String(repeating: "x", count: 5000))), 422,
                    .invalid, field: "metadata.name"),
                Row(
                    "a path for a name", .init(path: vms, body: vm("../../etc/passwd")), 422, .invalid,
                    field: "metadata.name"),
                Row(
                    "control characters in a name", .init(path: vms, body: vm(#"a\n\u0007b"#)), 422, .invalid,
                    field: "metadata.name"),
                Row(
                    "a flavor that does not exist",
                    .init(path: vms, body: text(#"{"metadata":{"name":"a"},"spec":{"flavor":"gold"}}"#)), 422,
                    .invalid, field: "spec.flavor"),
                Row(
                    "a project that does not exist", .init(path: "/v1/projects/ghost/vms", body: vm()), 422,
                    .invalid),
            ]
        }

        private static var targets: [Row] {
            let long = String(repeating: "x", count: 70_000)
            return [
                Row("an unknown path", .init(path: "/v1/projects/shop/pods", body: vm()), 404, .unknownPath),
                Row("another method", .init(method: .PUT, path: vms, body: vm()), 405, .methodNotAllowed),
                Row("an object that is not there", .init(method: .GET, path: vms + "/ghost"), 404, .notFound),
                Row(
                    "a path that climbs", .init(method: .GET, path: vms + "/..%2F..%2Fadmin"), 404, .notFound),
                Row("U+0000 in a path", .init(method: .GET, path: vms + "/a%00b"), 404, .notFound),
                Row("a page of none", .init(method: .GET, path: vms + "?limit=0"), 400, .malformedRequest),
                Row(
                    "an unknown parameter", .init(method: .GET, path: vms + "?lmit=1"), 400, .unknownParameter
                ),
                Row(
                    "a parameter twice", .init(method: .GET, path: vms + "?limit=1&limit=2"), 400,
                    .malformedRequest),
                Row(
                    "a misspelt dry run", .init(path: vms + "?dryrun=true", body: vm()), 400,
                    .unknownParameter),
                Row(
                    "a cursor of nobody", .init(method: .GET, path: vms + "?cursor=%00"), 400,
                    .malformedRequest),
                Row(
                    "an unknown selector", .init(method: .GET, path: vms + "?fieldSelector=colour=red"), 400,
                    .unknownParameter),
                Row(
                    "a selector that is none", .init(method: .GET, path: vms + "?labelSelector=a"), 400,
                    .malformedRequest),
                Row(
                    "a watch from junk", .init(method: .GET, path: vms + "?watch=sse&since=junk"), 410,
                    .watchExpired),
                Row(
                    "a watch from nowhere", .init(method: .GET, path: vms + "?watch=sse"), 422, .invalid,
                    field: "since"),
                Row(
                    "a target of 70 kB", .init(method: .GET, path: vms + "?cursor=" + long), 414,
                    .targetTooLong),
                Row(
                    "headers of 33 kB",
                    .init(
                        method: .GET, path: vms,
                        headers: [("x-much", String(repeating: "x", count: 33 << 10))]),
                    431, .headersTooLarge),
                Row(
                    "a request id with spaces",
                    .init(method: .GET, path: vms, headers: [("x-request-id", "a b")]),
                    400, .malformedRequest),
                Row(
                    "an idempotency key of 999 letters",
                    .init(
                        path: vms, body: vm(),
                        headers: [("idempotency-key", String(repeating: "k", count: 999))]),
                    400, .malformedRequest),
                Row(
                    "a verb on a host that is not there",
                    .init(path: "/v1/hosts/ghost/cordon", body: text(#"{"reason":"x"}"#)), 404, .notFound),
                Row(
                    "a verb without a reason", .init(path: "/v1/hosts/ghost/drain", body: text("{}")), 422,
                    .invalid,
                    field: "reason"),
            ]
        }

        private static func changes(of tag: String) -> [Row] {
            let real = vms + "/real"
            let stale = [("if-match", "\"\(tag)9\"")]
            let more = vm("real", resources: #"{"milliCPU":2000,"memoryMiB":1024}"#)
            return [
                Row(
                    "PUT without If-Match", .init(method: .PUT, path: real, body: vm("real")), 428,
                    .preconditionRequired),
                Row(
                    "DELETE without If-Match", .init(method: .DELETE, path: real), 428, .preconditionRequired),
                Row(
                    "PUT of a stale version",
                    .init(method: .PUT, path: real, body: vm("real"), headers: stale), 412,
                    .preconditionFailed),
                Row(
                    "DELETE of a stale version", .init(method: .DELETE, path: real, headers: stale), 412,
                    .preconditionFailed),
                Row(
                    "a dry run on a stale version",
                    .init(method: .DELETE, path: real + "?dryRun=true", headers: stale), 412,
                    .preconditionFailed),
                Row(
                    "a change of what cannot change",
                    .init(method: .PUT, path: real, body: more, headers: [("if-match", "\"\(tag)\"")]), 422,
                    .invalid,
                    field: "spec.resources"),
            ]
        }

        private static func callers(expired: String, foreign: String) -> [Row] {
            let real = vms + "/real"
            return [
                Row(
                    "an unknown token", .init(path: vms, body: vm(), token: "bsl_wrong"), 401,
                    .unauthenticated),
                Row(
                    "an expired token", .init(method: .GET, path: real, token: expired), 401, .unauthenticated
                ),
                Row(
                    "a user's token for an agent", .init(path: "/v1/agent/hello", body: text("{}")), 401,
                    .unauthenticated),
                Row(
                    "a viewer who writes", .init(path: "/v1/projects/small/vms", body: vm(), token: foreign),
                    403, .forbidden),
                Row(
                    "another project's object", .init(method: .GET, path: real, token: foreign), 404,
                    .notFound),
                Row("another project's list", .init(method: .GET, path: vms, token: foreign), 404, .notFound),
            ]
        }

        @Test func badInputIsRefusedInItsOwnWords() async throws {
            try await Deployment.run { basalt in
                let a = try await basalt.startController("a")
                try await basalt.makeFleet()
                let real = try await basalt.createVM("real")
                let client = try basalt.client()
                let expired = try await client.createToken(.init(name: "old", role: .viewer, ttlSeconds: 1))
                    .secret
                let foreign = try await client.createToken(
                    .init(name: "small", role: .viewer, projects: ["small"])
                ).secret
                try await eventually("the token has expired") {
                    let look = RawRequest(method: .GET, path: Self.vms, token: expired)
                    return try await basalt.send([look]).first?.status == 401
                }
                let rows =
                    Self.bodies + Self.documents + Self.targets + Self.changes(of: real.metadata.entityTag)
                    + Self.callers(expired: expired, foreign: foreign)
                let answers = try await basalt.send(rows.map(\.request))
                for (row, answer) in zip(rows, answers) {
                    let what = "\(row.what): \(answer.text.prefix(300))"
                    #expect(answer.status == row.status, "\(what)")
                    #expect(answer.problem?.code == row.code, "\(what)")
                    if let field = row.field {
                        #expect(answer.problem?.causes.contains { $0.field == field } == true, "\(what)")
                    }
                    #expect(answer.problem?.requestId?.isEmpty == false, "\(what)")
                }
                try Self.compare(rows)
                try #require(a.program.exitStatus == nil)
                try #require(try await basalt.statuses().keys.sorted() == ["real"])
                try #require(!a.program.log.contains("request failed"), "a 500 is a bug: \(a.program.log)")
                try await basalt.verify(live: 0, starts: 0)
            }
        }

        /// The page of the documentation is the table that was just seen to hold.
        private static func compare(_ rows: [Row]) throws {
            let page = """
                # Bad input

                What requests that are wrong are answered with. A test sends each of them to a running control plane
                and compares this page.

                | what is sent | status | code | field |
                |---|---|---|---|

                """ + rows.map(\.line).joined(separator: "\n") + "\n"
            let file = URL(filePath: #filePath).deletingLastPathComponent()
                .appending(path: "../../Sources/API/Documentation.docc/BadInput.md").standardizedFileURL
            if ProcessInfo.processInfo.environment["BASALT_UPDATE_GOLDENS"] == "1" {
                try Data(page.utf8).write(to: file)
            }
            #expect(
                try String(contentsOf: file, encoding: .utf8) == page, "\(file.lastPathComponent) is another")
        }

        /// A flavor larger than every host is legal, and says so where its VMs wait.
        @Test func whatNoHostHoldsIsExplained() async throws {
            try await Deployment.run { basalt in
                try await basalt.startController("a")
                try await basalt.makeFleet()
                try await basalt.startAgent("sim", hosts: 2)
                try await basalt.hostsReady(2)
                let client = try basalt.client()
                let giant = FlavorSpec(resources: Resources(milliCPU: 4_000_000, memoryMiB: 1024))
                _ = try await client.create(
                    WireDraft(
                        kind: Kind.flavor.rawValue, metadata: .init(name: "giant"), spec: try .encoding(giant)
                    ),
                    in: Collection(.flavor))
                try await basalt.createVM("big", VMSpec(cell: "east", flavor: "giant"))
                try await eventually("the reason is told") {
                    let why = try await client.why(vm: "big", project: "shop")
                    let rejected = why.explanation?.rejected ?? []
                    return why.reason == .noHostFits
                        && rejected == [.init(reason: .insufficientCPU, hosts: 2)]
                        && why.explanation?.nearestFix?.isEmpty == false
                }
                try await basalt.verify(live: 0, starts: 0)
            }
        }
    }
}
