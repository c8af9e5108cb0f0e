extension EffectiveSettings {
    /// The values in force as a file of settings, each with its origin behind it.
    public var yaml: String {
        let lines = Key.allCases.map { key in
            guard let entry = entries[key] else { return (line: "# \(key.rawValue):", origin: "not set") }
            return (
                line: "\(key.rawValue): \(YAMLScalar.text(entry.text))", origin: entry.origin.description
            )
        }
        let width = lines.map(\.line.count).max() ?? 0
        return lines.map { line, origin in
            line + String(repeating: " ", count: width - line.count) + "  # \(origin)\n"
        }.joined()
    }
}

extension SettingKey {
    /// A documented file that sets nothing but the defaults.
    public static var documentedFile: String {
        let heading = """
            # Settings of \(program). The standard place is \(standardFile); a variable BASALT_… or a flag
            # overrides a value here. What is commented out has no default.

            """
        return heading
            + allCases.map { key in
                let definition = key.definition
                let value = definition.fallback.map { "\(key.rawValue): \(YAMLScalar.text($0))" }
                return """

                    # \(definition.help)
                    # \(definition.range). \(key.flag), $\(key.variable)
                    \(value ?? "# \(key.rawValue):")

                    """
            }.joined()
    }
}

enum YAMLScalar {
    /// Plain when that is read back as the same text; quoted when in doubt.
    static func text(_ value: String) -> String {
        let isPlain =
            value.first.map { $0.isLetter || $0.isNumber || $0 == "/" } ?? false
            && value.last != ":" && !value.contains(": ") && !value.contains(" #")
            && value.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_./:@,= ".contains($0)) }
            && !["null", "true", "false", "yes", "no", "on", "off"].contains(value.lowercased())
        guard !isPlain else { return value }
        let escaped = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        return "\"\(escaped)\""
    }
}
