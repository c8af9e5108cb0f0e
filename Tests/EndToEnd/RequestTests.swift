import APITypes
import Client
import Fleet
import Foundation
import Testing

extension EndToEndTests {
    /// What operators get wrong, and what clients watch.
    @Suite struct RequestTests {
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
                    ("breakerFractoin: 0.2", "did you mean \"breakerFraction\"?"),
                    ("breakerFraction: 2", "breakerFraction is \"2\""),
                ] {
                    try Data("\(text)\n".utf8).write(to: file)
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
