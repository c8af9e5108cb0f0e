internal import APITypes
internal import Fleet

/// Whom an incident hit.
struct ImpactTable {
    let report: ImpactReport
    let now: Timestamp

    var presentation: Presentation {
        get throws {
            var blocks: [Presentation.Block] = [
                .fields([
                    .init("Subject", Text(report.subject)),
                    .init("Since", Text(report.since.map(\.description) ?? "nothing was the matter")),
                    .init("Hit", Text("\(report.workloads.count)\(report.isCut ? " and more" : "")")),
                ])
            ]
            if !report.causes.isEmpty { blocks += [.heading("Causes"), .table(causes)] }
            if !report.workloads.isEmpty { blocks += [.heading("Workloads"), .table(workloads)] }
            return Presentation(
                blocks, names: report.workloads.map { "\($0.kind.rawValue)/\($0.name)" },
                value: try Serialization.tree(report))
        }
    }

    private var causes: Table {
        Table(
            [
                .init("HOST", minimum: 8), .init("REASON"), .init("MESSAGE", minimum: 20),
                .init("AGE", .always, .right),
            ],
            report.causes.map {
                [
                    Text($0.host), Text($0.reason.rawValue, .bad), Text($0.message),
                    Text(DurationText.short(now.since($0.at))),
                ]
            })
    }

    private var workloads: Table {
        Table(
            [
                .init("NAME", minimum: 8), .init("PROJECT"), .init("PART", .wide), .init("HOST"),
                .init("STATE"), .init("WHY"), .init("DONE", minimum: 12), .init("MESSAGE", .wide),
            ],
            report.workloads.map { hit in
                let done = hit.done.map(\.reason.rawValue).joined(separator: ",")
                return [
                    Text("\(hit.kind.rawValue)/\(hit.name)"), Text(hit.project), Text(hit.part),
                    Text(hit.host), Text(hit.state.rawValue), Text(hit.reason.rawValue, .bad),
                    Text(optional: done), Text(hit.message),
                ]
            })
    }
}
