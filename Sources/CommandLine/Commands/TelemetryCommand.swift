internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet

struct TelemetryCommand: BasaltCommand {
    enum Signal: String, CaseIterable, ExpressibleByArgument { case logs, metrics, traces, events }

    static let configuration = CommandConfiguration(
        commandName: "telemetry", abstract: "Shows what a controller said and did of late.",
        discussion: """
            Logs, metrics and traces are those of the controller that answers, of its last hour or less; \
            events are the fleet's. --otlp gives OpenTelemetry's JSON.
            """)

    @Argument(help: "logs, metrics, traces or events.") var signal: Signal
    @Option(help: "Module such as control; of events a thing such as host/gpu-1.") var component: String?
    @Option(help: "From then on, such as 2026-06-01T08:00:00Z.") var since: String?
    @Option(help: "Until then.") var until: String?
    @Option(help: "How many of the newest, at most 1000.") var limit = 200
    @Option(help: "Logs: this level and graver ones.") var level: String?
    @Option(help: "Logs: text in the line. Metrics and traces: text in the name.") var contains: String?
    @Flag(help: "Traces: those that failed.") var errors = false
    @Flag(help: "As OpenTelemetry's JSON, whatever --output says.") var otlp = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let answer = try await connection.connected(surroundings) { client, _ in
            try await client.telemetry(signal.rawValue, query)
        }
        if otlp {
            surroundings.console.write(Serialization.json(answer, pretty: true) + "\n")
            return .done
        }
        let items = answer["items"]?.array ?? []
        var blocks: [Presentation.Block] = [.table(table(of: items, now: surroundings.now()))]
        if answer["isCut"] == .bool(true) { blocks.append(.lines(["older ones are not shown"])) }
        output.show(Presentation(blocks, value: answer), surroundings)
        return .done
    }

    private var query: [(String, String)] {
        var query: [(String, String)] = [("limit", String(limit))]
        if let component { query.append(("component", component)) }
        if let since { query.append(("since", since)) }
        if let until { query.append(("until", until)) }
        if let level, signal == .logs { query.append(("level", level)) }
        if let contains, signal != .events { query.append((signal == .logs ? "contains" : "name", contains)) }
        if errors, signal == .traces { query.append(("errors", "true")) }
        if otlp { query.append(("form", "otlp")) }
        return query
    }

    private func table(of items: [JSONValue], now: Timestamp) -> Table {
        func text(_ item: JSONValue, _ field: String) -> Text { Text(optional: item[field]?.string) }
        func number(_ item: JSONValue, _ field: String) -> Text {
            Text(optional: item[field].map { Serialization.json($0, pretty: false) })
        }
        func age(_ item: JSONValue) -> Text {
            let at = item["at"]?.string.flatMap { Timestamp($0) }
            return Text(at.map { DurationText.short(now.since($0)) } ?? "-")
        }
        switch signal {
        case .logs:
            return Table(
                [
                    .init("COMPONENT"), .init("LEVEL"), .init("TIMES", .always, .right),
                    .init("MESSAGE", minimum: 20), .init("AGE", .always, .right),
                ],
                items.map {
                    [
                        text($0, "component"), text($0, "level"), number($0, "times"), text($0, "message"),
                        age($0),
                    ]
                })
        case .metrics:
            let columns = ["least", "median", "high", "most", "last"]
            return Table(
                [.init("NAME", minimum: 20)] + columns.map { .init($0.uppercased(), .always, .right) },
                items.map { item in [text(item, "name")] + columns.map { number(item, $0) } })
        case .traces:
            return Table(
                [
                    .init("NAME", minimum: 16), .init("SERVICE"), .init("MS", .always, .right),
                    .init("ERROR"), .init("TRACE", .wide), .init("AGE", .always, .right),
                ],
                items.map {
                    [
                        text($0, "operation"), text($0, "service"), number($0, "milliseconds"),
                        text($0, "error"), text($0, "trace"), age($0),
                    ]
                })
        case .events:
            return Table(
                [
                    .init("COMPONENT", minimum: 8), .init("REASON"), .init("MESSAGE", minimum: 20),
                    .init("AGE", .always, .right),
                ],
                items.map { [text($0, "component"), text($0, "reason"), text($0, "message"), age($0)] })
        }
    }
}
