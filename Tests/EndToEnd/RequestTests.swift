import APITypes
import Client
import Fleet
import Foundation
import NIOHTTP1
import Testing

extension EndToEndTests {
    /// What clients get wrong, and what they watch.
    @Suite struct RequestTests {
        private struct Row {
            var request: RawRequest
            var status: Int
            var code: ProblemCode
            var field: String?

            init(_ request: RawRequest, _ status: Int, _ code: ProblemCode, field: String? = nil) {
                (self.request, self.status, self.code, self.field) = (request, status, code, field)
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

        private static func bad(tag: String) -> [Row] {
            let huge = #"{"milliCPU":99999999999,"memoryMiB":1024}"#
            let tooHuge = #"{"milliCPU":99999999999999999999999,"memoryMiB":1024}"#
            let deep = String(repeating: "[", count: 10_000) + String(repeating: "]", count: 10_000)
            let stale = [("if-match", "\"\(tag)9\"")]
            return [
                Row(
                    .init(path: vms, body: vm(more: #","colour":"red""#)), 422, .invalid, field: "spec.colour"
                ),
                Row(
                    .init(path: vms, body: vm(resources: #"{"milliCPU":-1,"memoryMiB":-5}"#)), 422, .invalid,
                    field: "spec.resources.milliCPU"),
                Row(
                    .init(path: vms, body: vm(resources: huge)), 422, .invalid,
                    field: "spec.resources.milliCPU"),
                Row(.init(path: vms, body: vm(resources: tooHuge)), 422, .invalid),
                Row(
                    .init(path: vms, body: vm(resources: #""many""#)), 422, .invalid,
                    field: "spec.resources"),
                Row(
                    .init(path: vms, body: Data(#"{"kind":"Pod","metadata":{"name":"p"},"spec":{}}"#.utf8)),
                    422, .invalid, field: "kind"),
                Row(.init(path: vms, body: vm("Not_A_Name")), 422, .invalid, field: "metadata.name"),
                Row(.init(path: vms, body: vm("")), 422, .invalid, field: "metadata.name"),
                Row(
                    .init(path: vms, body: vm(String(repeating: "x", count: 5000))), 422, .invalid,
                    field: "metadata.name"),
                Row(.init(path: vms, body: Data("{".utf8)), 400, .malformedRequest),
                Row(.init(path: vms, body: Data()), 400, .malformedRequest),
                Row(.init(path: vms, body: Data([0xFF, 0xFE, 0x00])), 400, .malformedRequest),
                Row(.init(path: vms, body: Data(deep.utf8)), 400, .malformedRequest),
                Row(.init(path: vms, body: Data(count: 2 << 20)), 413, .tooLarge),
                Row(.init(path: vms, body: vm(), token: "bsl_wrong"), 401, .unauthenticated),
                Row(.init(path: "/v1/projects/shop/pods", body: vm()), 404, .unknownPath),
                Row(.init(path: "/v1/projects/ghost/vms", body: vm()), 422, .invalid),
                Row(.init(method: .GET, path: vms + "/ghost"), 404, .notFound),
                Row(.init(method: .GET, path: vms + "?limit=0"), 400, .malformedRequest),
                Row(.init(method: .GET, path: vms + "?lmit=1"), 400, .unknownParameter),
                Row(.init(method: .GET, path: vms + "?cursor=%00"), 400, .malformedRequest),
                Row(.init(method: .GET, path: vms + "?watch=sse&since=junk"), 410, .watchExpired),
                Row(.init(method: .PUT, path: vms + "/real", body: vm("real")), 428, .preconditionRequired),
                Row(.init(method: .DELETE, path: vms + "/real"), 428, .preconditionRequired),
                Row(
                    .init(method: .PUT, path: vms + "/real", body: vm("real"), headers: stale), 412,
                    .preconditionFailed),
                Row(.init(method: .DELETE, path: vms + "/real", headers: stale), 412, .preconditionFailed),
                Row(
                    .init(
                        method: .PUT, path: vms + "/real",
                        body: vm("real", resources: #"{"milliCPU":2000,"memoryMiB":1024}"#),
                        headers: [("if-match", "\"\(tag)\"")]), 422, .invalid, field: "spec.resources"),
                Row(
                    .init(
                        path: vms, body: vm(),
                        headers: [("idempotency-key", String(repeating: "k", count: 999))]),
                    400, .malformedRequest),
                Row(
                    .init(path: "/v1/hosts/ghost/cordon", body: Data(#"{"reason":"x"}"#.utf8)), 404, .notFound
                ),
                Row(.init(path: "/v1/agent/hello", body: Data("{}".utf8)), 401, .unauthenticated),
            ]
        }

        @Test func badInputIsRefusedInItsOwnWords() async throws {
            try await Deployment.run { basalt in
                let a = try await basalt.startController("a")
                try await basalt.makeFleet()
                let real = try await basalt.createVM("real")
                let rows = Self.bad(tag: real.metadata.entityTag)
                let answers = try await basalt.send(rows.map(\.request))
                for (row, answer) in zip(rows, answers) {
                    let what = "\(row.request.method) \(row.request.path): \(answer.text.prefix(300))"
                    #expect(answer.status == row.status, "\(what)")
                    #expect(answer.problem?.code == row.code, "\(what)")
                    if let field = row.field {
                        #expect(answer.problem?.causes.contains { $0.field == field } == true, "\(what)")
                    }
                    #expect(answer.problem?.requestId?.isEmpty == false, "\(what)")
                }
                try #require(a.program.exitStatus == nil)
                try #require(try await basalt.statuses().keys.sorted() == ["real"])
                try #require(!a.program.log.contains("request failed"), "a 500 is a bug: \(a.program.log)")
                try await basalt.verify(live: 0, starts: 0)
            }
        }

        @Test func badSettingsAreRefusedInOneLine() async throws {
            try await Deployment.run(database: false) { basalt in
                let open = try await basalt.basaltd([
                    "serve", "--listen", "0.0.0.0:0", "--database", "postgresql:///basalt",
                ])
                try #require(open.status != 0 && open.output.contains("served over TLS only"), "\(open)")
                let file = basalt.directory.appending(path: "basaltd.yaml")
                try Data("lisen: 127.0.0.1:0\n".utf8).write(to: file)
                let wrong = try await basalt.basaltd(["serve", "--config", file.path])
                try #require(wrong.status != 0, "\(wrong)")
                try #require(
                    wrong.output.contains("\"lisen\" is not a setting; did you mean \"listen\"?"), "\(wrong)")
                for (text, message) in [
                    ("flapz: 1", "healing: \"flapz\" is not a setting; did you mean \"flaps\"?"),
                    ("breakerFraction: 2", "healing.breakerFraction is 2.0: outside 0 to 1"),
                ] {
                    try Data("healing:\n  \(text)\n".utf8).write(to: file)
                    let refused = try await basalt.basaltd(["serve", "--config", file.path])
                    try #require(refused.status != 0 && refused.output.contains(message), "\(refused)")
                }
            }
        }

        @Test func watchesSeeEveryChangeInOrderAcrossControllers() async throws {
            try await Deployment.run { basalt in
                let a = try await basalt.startController("a")
                try await basalt.makeFleet()
                let b = try await basalt.startController("b")
                let flavors = Collection(.flavor)
                let watching = try basalt.client(retry: .persistent)
                let writing = try basalt.client(of: b)
                let start = try await watching.list(flavors).resourceVersion
                let (streamed, polled) = (Recorder(), Recorder())
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await streamed.stream(watching, flavors) }
                    group.addTask { try await polled.poll(watching, flavors, from: start) }
                    try await eventually("the stream has begun") { await streamed.hasBegun }

                    var written: [String] = []
                    var asked = ContinuousClock.now
                    for index in 0..<60 {
                        if index == 20 {
                            asked = .now
                            a.program.signal(SIGTERM)
                        }
                        if index == 40 {
                            _ = try await a.program.waitForExit(within: .seconds(10))
                            basalt.note("drain with watches open", ContinuousClock.now - asked)
                        }
                        written.append(try await Self.change(index, writing, flavors))
                    }
                    for recorder in [streamed, polled] {
                        try await eventually("every change is seen", within: .seconds(60)) {
                            let seen = await recorder.versions
                            guard seen == written else {
                                throw TimedOut(description: "\(seen.count) of \(written.count)")
                            }
                            return true
                        }
                    }
                    try await basalt.startController("a")
                    group.cancelAll()
                }
                try await basalt.verify(live: 0, starts: 0)
            }
        }

        /// Makes or changes a flavor. - Returns: the version that it then has.
        private static func change(
            _ index: Int, _ client: RESTClient, _ flavors: Client.Collection
        ) async throws -> String {
            let name = "flavor-\(index / 4)"
            guard index.isMultiple(of: 4) == false else {
                let spec = FlavorSpec(resources: Resources(milliCPU: 1000, memoryMiB: 1024))
                let draft = WireDraft(
                    kind: Kind.flavor.rawValue, metadata: .init(name: name), spec: try .encoding(spec))
                return try await client.create(draft, in: flavors).metadata.resourceVersion
            }
            let known = try await client.get(name, in: flavors)
            let patch = JSONValue.object([
                "metadata": .object(["labels": .object(["step": .string("\(index)")])])
            ])
            return try await client.patch(name, in: flavors, with: patch, match: .version(of: known))
                .metadata.resourceVersion
        }
    }
}

/// What a watcher saw.
private actor Recorder {
    private(set) var versions: [String] = []
    private(set) var hasBegun = false

    func stream(_ client: RESTClient, _ collection: Client.Collection) async throws {
        var steps = client.watch(collection).makeAsyncIterator()
        while let step = try await steps.next() {
            switch step {
            case .listed: hasBegun = true
            case .changed(let event): see(event)
            }
        }
    }

    func poll(_ client: RESTClient, _ collection: Client.Collection, from start: String) async throws {
        var version = start
        while !Task.isCancelled {
            let batch = try await client.changes(in: collection, after: version, wait: .seconds(5))
            for event in batch.events where event.type != .bookmark { see(event) }
            version = batch.resourceVersion
        }
    }

    /// A watch that is resumed may repeat changes, never leave one out.
    private func see(_ event: WatchEvent) {
        if !versions.contains(event.resourceVersion) { versions.append(event.resourceVersion) }
    }
}
