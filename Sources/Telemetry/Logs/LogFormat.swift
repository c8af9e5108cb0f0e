/// The form of a log line.
public enum LogFormat: String, Sendable, CaseIterable {
    /// `key=value` pairs, for people and grep.
    case logfmt
    /// One JSON object a line, for collectors.
    case json
}
