extension MetricKey {
    /// The catalogue as a Markdown table.
    public static var table: String {
        let rows = allCases.map { key in
            let definition = key.definition
            let labels =
                definition.labels.isEmpty ? "–" : definition.labels.map { "`\($0)`" }.joined(separator: ", ")
            return
                "| `\(key.rawValue)` | \(definition.type) | \(definition.unit) | \(labels) | \(definition.help) |"
        }
        return (["| metric | type | unit | labels | meaning |", "|---|---|---|---|---|"] + rows)
            .joined(separator: "\n") + "\n"
    }
}
