extension MetricRegistry {
    /// Content type of ``text``.
    public static var contentType: String { "text/plain; version=0.0.4; charset=utf-8" }

    /// Every metric of the catalogue in Prometheus' text format, in the catalogue's order; a metric without
    /// labels that nobody touched is 0.
    public var text: String {
        let snapshot = snapshot
        var text = ""
        for key in Key.allCases {
            text += "# HELP \(key.rawValue) \(key.definition.help)\n"
            text += "# TYPE \(key.rawValue) \(key.definition.type)\n"
            var series = snapshot[key] ?? [:]
            if series.isEmpty, key.definition.labels.isEmpty { series = [[]: Self.zero(key)] }
            for (labels, value) in series.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                text += Self.lines(key, labels, value)
            }
        }
        return text
    }

    private static func zero(_ key: Key) -> Value {
        if case .histogram(let bounds) = key.definition.form {
            return .histogram(HistogramSeries(bounds: bounds))
        }
        return .number(0)
    }

    private static func lines(_ key: Key, _ values: [String], _ value: Value) -> String {
        let pairs = zip(key.definition.labels, values).map { "\($0)=\"\(escaped($1))\"" }
        let name = key.rawValue
        switch value {
        case .number(let number): return "\(name)\(braces(pairs)) \(short(number))\n"
        case .histogram(let series):
            var lines = ""
            var total = 0
            for (index, count) in series.counts.enumerated() {
                total += count
                let bound = index < series.bounds.count ? short(series.bounds[index]) : "+Inf"
                lines += "\(name)_bucket\(braces(pairs + ["le=\"\(bound)\""])) \(total)\n"
            }
            lines += "\(name)_sum\(braces(pairs)) \(short(series.sum))\n"
            return lines + "\(name)_count\(braces(pairs)) \(total)\n"
        }
    }

    private static func braces(_ pairs: [String]) -> String {
        pairs.isEmpty ? "" : "{" + pairs.joined(separator: ",") + "}"
    }

    private static func short(_ number: Double) -> String {
        guard number.isFinite else { return number.isNaN ? "NaN" : number < 0 ? "-Inf" : "+Inf" }
        // Whole numbers up to 2^53 are exact.
        return number == number.rounded() && abs(number) < 9e15 ? String(Int64(number)) : "\(number)"
    }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
