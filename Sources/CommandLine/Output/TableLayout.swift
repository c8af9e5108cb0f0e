/// Widths that one table's columns have on one terminal, so that later rows of a watch line up.
struct TableLayout: Sendable, Equatable {
    static let gap = 2

    let columns: [Table.Column]
    /// Columns shown, as indices of the table's.
    private(set) var shown: [Int]
    private(set) var widths: [Int]

    /// - Parameter limit: longest line; nil shows wide columns and cuts nothing.
    init(_ table: Table, limit: Int?) {
        columns = table.columns
        shown = table.columns.indices.filter { limit == nil || table.columns[$0].presence != .wide }
        widths = shown.map { index in
            table.rows.reduce(table.columns[index].title.count) {
                max($0, Printable.clean($1[index].content).count)
            }
        }
        if let limit { shrink(to: limit) }
    }

    private func excess(over limit: Int) -> Int {
        widths.reduce(0, +) + Self.gap * max(0, widths.count - 1) - limit
    }

    /// Takes columns away from the widest of those that may be cut, one at a time; when that is not enough,
    /// leaves out roomy ones from the right.
    private mutating func shrink(to limit: Int) {
        cut(to: limit)
        while excess(over: limit) > 0,
            let position = shown.lastIndex(where: { columns[$0].presence == .roomy })
        {
            shown.remove(at: position)
            widths.remove(at: position)
        }
    }

    private mutating func cut(to limit: Int) {
        var excess = excess(over: limit)
        while excess > 0 {
            let cuttable = widths.indices.filter { position in
                columns[shown[position]].minimum.map { widths[position] > $0 } ?? false
            }
            guard let widest = cuttable.max(by: { widths[$0] < widths[$1] }) else { return }
            widths[widest] -= 1
            excess -= 1
        }
    }

    var header: String { line(columns.map { Text($0.title) }, colour: false) }

    func line(_ row: [Text], colour: Bool) -> String {
        var line = ""
        for (position, index) in shown.enumerated() {
            let isLast = position == shown.count - 1
            let content = cut(Printable.clean(row[index].content), position)
            let padding = String(repeating: " ", count: max(0, widths[position] - content.count))
            let painted = colour ? Printable.paint(content, row[index].tone) : content
            switch columns[index].alignment {
            case .left: line += painted + (isLast ? "" : padding)
            case .right: line += padding + painted
            }
            if !isLast { line += String(repeating: " ", count: Self.gap) }
        }
        return line
    }

    private func cut(_ content: String, _ position: Int) -> String {
        guard columns[shown[position]].minimum != nil, content.count > widths[position] else {
            return content
        }
        return content.prefix(max(0, widths[position] - 1)) + "…"
    }
}

/// What may go to a terminal.
enum Printable {
    /// Replaces control characters: names and messages come from other people, and an escape sequence in one
    /// must not reach the terminal.
    static func clean(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { scalars.append(isControl(scalar) ? "?" : scalar) }
        return String(scalars)
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 32 || (127..<160).contains(scalar.value)
    }

    static func paint(_ text: String, _ tone: Text.Tone) -> String {
        switch tone {
        case .plain: text
        case .good: "\u{1B}[32m\(text)\u{1B}[0m"
        case .warning: "\u{1B}[33m\(text)\u{1B}[0m"
        case .bad: "\u{1B}[31m\(text)\u{1B}[0m"
        }
    }
}
