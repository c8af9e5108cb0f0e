internal import APITypes
internal import Fleet

/// What a drain would do, as rows.
struct DrainTable {
    let preview: DrainPreview
    /// Fixes that are told below the table; one of them often helps all.
    private static let fixes = 5

    var presentation: Presentation {
        get throws {
            let moves = preview.moves.map { move in
                [Text("\(move.project)/\(move.name)"), Text("moves", .good), Text("to \(move.to)")]
            }
            let stays = preview.blocked.map { blocked in
                [
                    Text("\(blocked.project)/\(blocked.name)"), Text("stays", .warning),
                    Text("\(blocked.reason.rawValue): \(blocked.message)"),
                ]
            }
            let table = Table(
                [.init("NAME", minimum: 12), .init("OUTCOME"), .init("DETAIL", minimum: 20)], moves + stays)
            var lines = ["\(preview.moves.count) move, \(preview.blocked.count) stay"]
            lines += preview.blocked.prefix(Self.fixes).compactMap { blocked in
                blocked.nearestFix.map { "nearest fix for \(blocked.project)/\(blocked.name): \($0)" }
            }
            if let opensAt = preview.opensAt {
                lines.append("begins when the maintenance window opens at \(opensAt)")
            }
            return Presentation(
                [.table(table), .lines(lines)], names: preview.moves.map { "vm/\($0.name)" },
                value: try Serialization.tree(preview))
        }
    }
}
