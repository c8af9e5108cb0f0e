/// Reads the one call in an agent's answer: AIOpsLab's text protocol.
public struct ActionTextParser: Sendable {
    public enum Mode: String, Sendable, Hashable, Codable, CaseIterable {
        /// As AIOpsLab's own parser reads, its slips included: for results that are compared with its own.
        case strict
        /// What the agent plainly meant: a language tag, a call without a fence, escaped quotes, a time limit
        /// of a command. Of several calls the first counts, for what follows was written without having seen
        /// its answer.
        case lenient
    }

    /// Bytes of an answer; a longer one is refused, since reading costs time for each.
    public static let longest = 256 * 1024

    public var mode: Mode

    public init(_ mode: Mode = .lenient) { self.mode = mode }

    public func parse(_ answer: String) throws(ActionTextFailure) -> ActionCall {
        guard answer.utf8.count <= Self.longest else {
            throw ActionTextFailure(.tooLong, "An answer may have \(Self.longest) bytes.")
        }
        switch mode {
        case .strict: return try strictCall(in: answer)
        case .lenient: return try lenientCall(in: answer)
        }
    }

    // MARK: - Strict

    private func strictCall(in answer: String) throws(ActionTextFailure) -> ActionCall {
        let blocks = FencedBlocks.untagged(in: answer)
        guard blocks.count == 1, let block = blocks.first else {
            throw ActionTextFailure(
                .format, "Write exactly one call in one block between lines of three backticks.")
        }
        guard let open = block.firstIndex(of: "("), let close = block.lastIndex(of: ")"), open < close else {
            throw ActionTextFailure(.format, "No call was found: write name(arguments).")
        }
        let name = Self.trim(block[..<open])
        let inner = Self.trim(block[block.index(after: open)..<close])
        guard !inner.isEmpty else { return ActionCall(name: name) }
        guard name == "exec_shell" else {
            var reader = LiteralReader(inner, takesBareWords: false)
            let (arguments, keywords) = try reader.arguments(closedBy: nil)
            return ActionCall(name: name, arguments: arguments, keywords: keywords)
        }
        return ActionCall(name: name, arguments: [.text(try strictCommand(inner))])
    }

    /// Quotes are stripped before escapes are undone, so that an escaped quote at the end is lost.
    private func strictCommand(_ inner: String) throws(ActionTextFailure) -> String {
        var text = inner
        if text.hasPrefix("command=") { text = Self.trim(text.replacing("command=", with: "")) }
        for quote in ["\"", "'"] where text.hasPrefix(quote) && text.hasSuffix(quote) {
            var stripped = text[...]
            while stripped.hasPrefix(quote) { stripped = stripped.dropFirst() }
            while stripped.hasSuffix(quote) { stripped = stripped.dropLast() }
            return String(stripped.replacing("\\\"", with: "\"").replacing("\\'", with: "'"))
        }
        throw ActionTextFailure(.unquotedCommand, "Commands must be quoted strings.")
    }

    // MARK: - Lenient

    private func lenientCall(in answer: String) throws(ActionTextFailure) -> ActionCall {
        let blocks = FencedBlocks.any(in: answer)
        let texts = blocks.isEmpty ? [answer] : blocks
        var failure = ActionTextFailure(.format, "No call was found: write name(arguments).")
        for text in texts {
            do throws(ActionTextFailure) { return try firstCall(in: text) } catch { failure = error }
        }
        throw failure
    }

    private func firstCall(in text: String) throws(ActionTextFailure) -> ActionCall {
        for line in text.split(whereSeparator: \.isNewline) {
            guard let open = line.firstIndex(of: "(") else { continue }
            let name = Self.trim(line[..<open])
            guard Self.isName(name) else { continue }
            var reader = LiteralReader(
                String(text[text.index(after: open)...]), takesBareWords: true)
            let (arguments, keywords) = try reader.arguments(closedBy: ")")
            return ActionCall(name: name, arguments: arguments, keywords: keywords)
        }
        throw ActionTextFailure(.format, "No call was found: write name(arguments).")
    }

    private static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { LiteralReader.isWord($0) }
            && text.utf8.first.map { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } == true
    }

    private static func trim(_ text: some StringProtocol) -> String {
        var rest = text[...]
        while rest.first?.isWhitespace == true { rest = rest.dropFirst() }
        while rest.last?.isWhitespace == true { rest = rest.dropLast() }
        return String(rest)
    }
}
