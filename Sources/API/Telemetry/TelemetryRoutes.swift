internal import APITypes
internal import FaultLab
internal import Fleet
internal import Hummingbird
internal import Store
internal import Telemetry

/// Logs, metrics and traces of this controller, and events of the fleet: bounded, summarised, and in
/// OpenTelemetry's form where that is asked for.
///
/// Each controller tells of itself alone, as `/metrics` does.
struct TelemetryRoutes {
    let store: any Store
    let signals: SignalBuffer

    /// Metrics are all of the program: there is one component.
    private static let program = "basaltd"

    func add(to router: some RouterMethods<APIContext>) {
        router.get("/v1/telemetry/logs") { request, _ in
            let query = try TelemetryQuery(request)
            let found = self.signals.lines.filter { line in
                query.holds(line.at, line.component) && query.isGrave(line.level)
                    && (query.contains.map { line.message.contains($0) } ?? true)
            }
            let lines = found.map {
                LogLine(
                    at: $0.at, component: ComponentName($0.component), level: $0.level, message: $0.message)
            }
            // What repeats itself drowns the rest.
            let folded = query.form == .summary ? LogLine.folded(lines) : lines
            return try Self.answer(
                .logs(folded.suffix(query.limit)), isCut: folded.count > query.limit, query)
        }
        router.get("/v1/telemetry/metrics") { request, _ in
            let query = try TelemetryQuery(request)
            let series = Self.series(self.signals.samples, query)
            return try Self.answer(
                .metrics(series.prefix(query.limit).compactMap { MetricSummary($0) }),
                isCut: series.count > query.limit, query)
        }
        router.get("/v1/telemetry/traces") { request, _ in
            let query = try TelemetryQuery(request)
            let found = self.signals.spans.filter { span in
                query.holds(span.at, span.component) && (!query.onlyErrors || span.error != nil)
                    && (query.name.map { span.name.contains($0) } ?? true)
            }
            let spans = found.suffix(query.limit).map {
                TraceSpan(
                    at: $0.at, service: $0.component, operation: $0.name, milliseconds: $0.milliseconds,
                    error: $0.error, trace: $0.trace)
            }
            return try Self.answer(.spans(Array(spans)), isCut: found.count > query.limit, query)
        }
        router.get("/v1/telemetry/events") { request, _ in
            let query = try TelemetryQuery(request)
            return try await self.events(query)
        }
    }

    /// Components are written as `host/gpu-3`.
    private func events(_ query: TelemetryQuery) async throws -> Response {
        var selection = EventQuery(limit: TelemetryQuery.Limit.items)
        if let component = query.component.map({ ComponentName($0) }) {
            guard
                let kind = Kind.allCases.first(where: {
                    $0.rawValue.lowercased() == component.kind.lowercased()
                })
            else {
                throw Problem(
                    .invalid, detail: "the query is not valid",
                    causes: [
                        FieldDefect(
                            field: "component", code: .invalid,
                            message: TelemetryQuery.refusal(
                                component.kind, Kind.allCases.map { $0.rawValue.lowercased() }))
                    ])
            }
            selection.kind = kind
            if !component.path.isEmpty { selection.name = component.path }
        }
        let all = try await store.events(selection)
        let found = all.filter { event in
            (query.since.map { event.at >= $0 } ?? true) && (query.until.map { event.at <= $0 } ?? true)
        }
        let lines = found.suffix(query.limit).map { event in
            EventLine(
                at: event.at, component: ComponentName(kind: event.kind.rawValue.lowercased(), event.name),
                reason: event.reason.rawValue, message: event.message)
        }
        return try Self.answer(
            .events(lines), isCut: found.count > query.limit || all.count == TelemetryQuery.Limit.items, query
        )
    }

    /// By the names of the series; a series that is not in every sample is taken from where it begins.
    static func series(_ samples: [SignalBuffer.Sample], _ query: TelemetryQuery) -> [MetricSeries] {
        let samples = samples.filter { query.holds($0.at, program) }
        guard let last = samples.last else { return [] }
        let names = last.values.keys.filter { name in query.name.map { name.contains($0) } ?? true }.sorted()
        let step = Int(SignalBuffer.sampleEvery.inSeconds)
        return names.compactMap { name in
            let known = samples.drop { $0.values[name] == nil }
            guard let first = known.first else { return nil }
            return MetricSeries(
                name: name, component: ComponentName(program), start: first.at, stepSeconds: step,
                values: known.map { $0.values[name] ?? 0 })
        }
    }

    private static func answer(
        _ content: ObservedContent, isCut: Bool, _ query: TelemetryQuery
    ) throws -> Response {
        switch query.form {
        case .otlp:
            try JSONAnswer.response(OpenTelemetryShape.of(content) ?? .null)
        case .summary:
            switch content {
            case .logs(let items): try JSONAnswer.response(TelemetryAnswer(items: items, isCut: isCut))
            case .metrics(let items): try JSONAnswer.response(TelemetryAnswer(items: items, isCut: isCut))
            case .spans(let items): try JSONAnswer.response(TelemetryAnswer(items: items, isCut: isCut))
            case .events(let items): try JSONAnswer.response(TelemetryAnswer(items: items, isCut: isCut))
            case .message, .alerts, .rows:
                try JSONAnswer.response(TelemetryAnswer<LogLine>(items: [], isCut: false))
            }
        }
    }
}

private struct TelemetryAnswer<Item: Encodable>: Encodable {
    var items: [Item]
    /// There are more than are shown; the newest are.
    var isCut: Bool
}
