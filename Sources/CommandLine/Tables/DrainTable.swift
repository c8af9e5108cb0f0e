internal import APITypes
internal import Fleet

/// What a drain would do, as rows.
struct DrainTable {
    let preview: DrainPreview
    /// Fixes that are told below the table; one of them often helps all.
    private static let fixes = 5

    var presentation: Presentation {
        get throws {
            let moves = preview.moves.map { [$0.title, $0.outcome, $0.detail] }
            let stays = preview.blocked.map { blocked in
                [
                    Text("\(blocked.project)/\(blocked.name)"), Text("stays", .warning),
                    Text("\(blocked.reason.rawValue): \(blocked.message)"),
                ]
            }
            let table = Table(
                [.init("NAME", minimum: 12), .init("OUTCOME"), .init("DETAIL", minimum: 20)], moves + stays)
            var lines = ["\(preview.moves.count) move, \(preview.blocked.count) stay"]
            let ending = preview.moves.count { $0.endsFirst == true }
            if ending > 0 { lines.append("\(ending) of them are predicted to end before their turn") }
            lines += preview.blocked.prefix(Self.fixes).compactMap { blocked in
                blocked.nearestFix.map { "nearest fix for \(blocked.project)/\(blocked.name): \($0)" }
            }
            if let opensAt = preview.opensAt {
                lines.append("begins when the maintenance window opens at \(opensAt)")
            }
            if let waitsUntil = preview.waitsUntil {
                lines.append("VMs are left to end by themselves until \(waitsUntil)")
            }
            lines += PackingLines.lines(before: preview.before, after: preview.after)
            return Presentation(
                [.table(table), .lines(lines)], names: preview.moves.map { "vm/\($0.name)" },
                value: try Serialization.tree(preview))
        }
    }
}

/// What a defragmentation would do, as rows.
struct DefragmentationTable {
    let preview: DefragmentationPreview

    var presentation: Presentation {
        get throws {
            let rows = preview.hosts.flatMap { candidate in
                candidate.moves.map { [Text(candidate.host), $0.title, $0.detail] }
            }
            let table = Table(
                [.init("HOST", minimum: 8), .init("NAME", minimum: 12), .init("DETAIL", minimum: 20)], rows)
            let moves = preview.hosts.reduce(0) { $0 + $1.moves.count }
            var lines = ["\(preview.hosts.count) hosts would be emptied, \(moves) VMs move"]
            lines += preview.hosts.map { candidate in
                "\(candidate.host): \(candidate.benefitMilli / 1000) host-hours for each move"
            }
            lines.append(preview.message)
            lines += PackingLines.lines(before: preview.before, after: preview.after)
            let target = Quantity.percent(Double(preview.targetEmptyPerMille) / 10)
            lines.append("target \(target) empty, mode \(preview.mode.rawValue)")
            return Presentation(
                [.table(table), .lines(lines)], names: preview.hosts.map { "host/\($0.host)" },
                value: try Serialization.tree(preview))
        }
    }
}

extension DrainPreview.Move {
    fileprivate var title: Text { Text("\(project)/\(name)") }
    fileprivate var outcome: Text { endsFirst == true ? Text("may end") : Text("moves", .good) }
    fileprivate var detail: Text { Text("to \(to)" + (reason.map { "; \($0)" } ?? "")) }
}

/// Empty hosts and stranding before and after.
private enum PackingLines {
    static func lines(before: PackingSummary?, after: PackingSummary?) -> [String] {
        guard let before, let after else { return [] }
        var lines = ["empty hosts: \(before.emptyHosts) before, \(after.emptyHosts) after, of \(after.hosts)"]
        if let cpu = before.strandedCPUPerMille, let memory = before.strandedMemoryPerMille,
            let nextCPU = after.strandedCPUPerMille, let nextMemory = after.strandedMemoryPerMille
        {
            lines.append(
                "stranded: CPU \(percent(cpu)) before, \(percent(nextCPU)) after; "
                    + "memory \(percent(memory)) before, \(percent(nextMemory)) after")
        }
        return lines
    }

    private static func percent(_ perMille: Int) -> String { Quantity.percent(Double(perMille) / 10) }
}
