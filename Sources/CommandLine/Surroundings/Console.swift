/// Where output goes, and what the other end is.
public struct Console: Sendable {
    /// Standard output, as given, without an added line end.
    public var write: @Sendable (String) -> Void
    /// Standard error: errors, progress and questions.
    public var writeError: @Sendable (String) -> Void
    public var outputIsTerminal: Bool
    public var errorIsTerminal: Bool
    /// Columns of the terminal; nil when unknown.
    public var width: Int?

    public init(
        write: @escaping @Sendable (String) -> Void, writeError: @escaping @Sendable (String) -> Void,
        outputIsTerminal: Bool = false, errorIsTerminal: Bool = false, width: Int? = nil
    ) {
        self.write = write
        self.writeError = writeError
        self.outputIsTerminal = outputIsTerminal
        self.errorIsTerminal = errorIsTerminal
        self.width = width
    }
}
