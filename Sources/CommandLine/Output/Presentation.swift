internal import APITypes

/// A result, ready to be shown in every format: the one thing that commands hand to the renderer.
struct Presentation: Sendable {
    /// For people, from top to bottom.
    var blocks: [Block]
    /// For `-o name`, one line each.
    var names: [String]
    private let makeValue: @Sendable () -> JSONValue

    init(_ blocks: [Block], names: [String] = [], value: JSONValue) {
        self.init(blocks, names: names, lazily: { value })
    }

    /// - Parameter value: made only when it is shown: for a table of a thousand documents it would take
    ///   longer than all the rest.
    init(_ blocks: [Block], names: [String], lazily value: @escaping @Sendable () -> JSONValue) {
        self.blocks = blocks
        self.names = names
        makeValue = value
    }

    /// For `-o json` and `-o yaml`.
    var value: JSONValue { makeValue() }

    enum Block: Sendable, Equatable {
        case table(Table)
        /// Names and values below each other.
        case fields([Field])
        case heading(String)
        case lines([String])
    }

    struct Field: Sendable, Equatable {
        var name: String
        var value: Text

        init(_ name: String, _ value: Text) {
            self.name = name
            self.value = value
        }
    }
}

/// A piece of output with the tone that a terminal may colour.
struct Text: Sendable, Equatable, ExpressibleByStringLiteral {
    enum Tone: Sendable, Equatable { case plain, good, warning, bad }

    var content: String
    var tone: Tone

    init(_ content: String, _ tone: Tone = .plain) {
        self.content = content
        self.tone = tone
    }

    init(stringLiteral value: String) { self.init(value) }

    /// A dash where there is nothing.
    init(optional content: String?) {
        self.init(content.flatMap { $0.isEmpty ? nil : $0 } ?? "-")
    }
}

/// Rows under titles.
struct Table: Sendable, Equatable {
    struct Column: Sendable, Equatable {
        enum Presence: Sendable, Equatable {
            case always
            /// Left out when the line would be too long.
            case roomy
            /// Of `-o wide` only.
            case wide
        }

        enum Alignment: Sendable, Equatable { case left, right }

        var title: String
        var presence: Presence
        var alignment: Alignment
        /// Cut with an ellipsis when the line would be too long, down to this many columns; nil never is.
        var minimum: Int?

        init(
            _ title: String, _ presence: Presence = .always, _ alignment: Alignment = .left,
            minimum: Int? = nil
        ) {
            self.title = title
            self.presence = presence
            self.alignment = alignment
            self.minimum = minimum
        }
    }

    var columns: [Column]
    var rows: [[Text]]

    /// - Parameter rows: as many cells each as there are columns.
    init(_ columns: [Column], _ rows: [[Text]]) {
        self.columns = columns
        self.rows = rows
    }
}
