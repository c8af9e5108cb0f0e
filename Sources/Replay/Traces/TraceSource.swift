/// Where a trace is read from.
public enum TraceSource: Sendable, Hashable {
    case file(path: String)
    case standardInput
    /// Text in memory, with the name that errors give it.
    case bytes([UInt8], name: String)

    /// A path as users type it; `-` is the standard input.
    public init(argument: String) { self = argument == "-" ? .standardInput : .file(path: argument) }

    /// What errors call it.
    public var name: String {
        switch self {
        case .file(let path): path
        case .standardInput: "standard input"
        case .bytes(_, let name): name
        }
    }
}
