internal import APITypes

/// Turns a presentation into text: the only place that knows the formats.
struct Renderer: Sendable {
    /// No table is wider, so that output fits a terminal and a page alike.
    static let widest = 100

    var format: OutputFormat
    /// Longest line of a table.
    var width: Int
    var colour: Bool

    init(format: OutputFormat, width: Int = widest, colour: Bool = false) {
        self.format = format
        self.width = min(width, Self.widest)
        self.colour = colour
    }

    /// For the console of a command: coloured on a terminal unless `NO_COLOR` is set.
    init(_ options: OutputOptions, _ surroundings: Surroundings) {
        self.init(format: options.output, surroundings)
    }

    /// The same for a command with formats of its own.
    init(format: OutputFormat, _ surroundings: Surroundings) {
        let console = surroundings.console
        self.init(
            format: format,
            width: console.outputIsTerminal ? console.width ?? Self.widest : Self.widest,
            colour: console.outputIsTerminal && surroundings.variable("NO_COLOR") == nil
                && surroundings.variable("TERM") != "dumb")
    }

    /// The whole text, each line ended.
    func text(of presentation: Presentation) -> String {
        switch format {
        case .table, .wide: ended(presentation.blocks.flatMap(lines))
        case .json: Serialization.json(presentation.value, pretty: true) + "\n"
        case .yaml: Serialization.yaml(presentation.value)
        case .name: ended(presentation.names)
        }
    }

    private func ended(_ lines: [String]) -> String { lines.map { $0 + "\n" }.joined() }

    private var limit: Int? { format == .wide ? nil : width }

    private func lines(of block: Presentation.Block) -> [String] {
        switch block {
        case .table(let table):
            let layout = TableLayout(table, limit: limit)
            return [layout.header] + table.rows.map { layout.line($0, colour: colour) }
        case .fields(let fields):
            let width = fields.map(\.name.count).max() ?? 0
            return fields.map { field in
                let padding = String(repeating: " ", count: width - field.name.count)
                let value = Printable.clean(field.value.content)
                return "\(field.name):\(padding) \(colour ? Printable.paint(value, field.value.tone) : value)"
            }
        case .heading(let text): return ["", text]
        case .lines(let lines): return lines.map(Printable.clean)
        }
    }
}

/// Shows one document after another as they come, in the format of a list.
struct StreamRenderer {
    private let renderer: Renderer
    private var layout: TableLayout?

    init(_ renderer: Renderer) { self.renderer = renderer }

    /// The next part of the stream. The first table fixes the widths of the columns.
    mutating func text(of presentation: Presentation) -> String {
        switch renderer.format {
        case .table, .wide:
            presentation.blocks.map { block in
                guard case .table(let table) = block else { return "" }
                return text(of: table)
            }.joined()
        case .json: presentation.items.map { Serialization.json($0, pretty: false) + "\n" }.joined()
        case .yaml: presentation.items.map { "---\n" + Serialization.yaml($0) }.joined()
        case .name: presentation.names.map { $0 + "\n" }.joined()
        }
    }

    private mutating func text(of table: Table) -> String {
        let limit = renderer.format == .wide ? nil : renderer.width
        let isFirst = layout == nil
        let layout = layout ?? TableLayout(table, limit: limit)
        self.layout = layout
        let rows = table.rows.map { layout.line($0, colour: renderer.colour) }
        return ((isFirst ? [layout.header] : []) + rows).map { $0 + "\n" }.joined()
    }
}

extension Presentation {
    /// The items of a list, or the one value.
    fileprivate var items: [JSONValue] { value["items"]?.array ?? [value] }
}
