internal import Fleet

/// A plan with its report, for people.
struct PlanDescription {
    private let plan: Plan

    init(_ plan: Plan) { self.plan = plan }

    var presentation: Presentation {
        get throws {
            let report = plan.report
            var blocks: [Presentation.Block] = [
                .fields([
                    .init("Plan", Text(plan.id.description)), .init("Cell", Text(plan.cell)),
                    .init("Engine", Text(plan.engine.rawValue)),
                    .init("Parent", Text(optional: plan.parent?.description)),
                    .init("Policy", Text(report.policy)),
                    .init("Policies", Text(optional: Self.policies(of: report))),
                    .init("Seed", Text(String(plan.seed))),
                    .init("Inputs", Text(plan.inputsHash)), .init("Hosts", Text(String(report.hosts))),
                    .init("Placed", Text(String(report.placed))),
                    .init("Created", Text(plan.createdAt.description)),
                ]),
                .heading("Directives"), .table(directives),
            ]
            if !report.unplaced.isEmpty {
                blocks += [.heading("Not placed"), .table(unplaced)]
            }
            return Presentation(blocks, names: ["plan/\(plan.id)"], value: try Serialization.tree(plan))
        }
    }

    /// Such as `vms: dense version 2`.
    private static func policies(of report: PlanReport) -> String? {
        report.policies?.map { "\($0.pool): \($0.policy.name) version \($0.policy.version)" }
            .joined(separator: ", ")
    }

    private var directives: Table {
        let columns = [
            Table.Column("NAME", minimum: 12), .init("DIRECTIVE"), .init("GROUP", .always, .right),
            .init("MESSAGE", minimum: 20),
        ]
        return Table(
            columns,
            plan.groups.enumerated().flatMap { index, group in
                group.directives.map { directive in
                    switch directive {
                    case .allocate(let allocate):
                        let workload = allocate.allocation.workload
                        return [
                            Text("\(workload.project)/\(workload.name)"), "allocate", Text(String(index + 1)),
                            Text(allocate.message),
                        ]
                    case .migrate(let migrate):
                        let workload = migrate.allocation.workload
                        return [
                            Text("\(workload.project)/\(workload.name)"), "migrate", Text(String(index + 1)),
                            Text(migrate.message),
                        ]
                    case .release(let release):
                        return [
                            Text(release.allocation.description), "release", Text(String(index + 1)),
                            Text(release.message),
                        ]
                    }
                }
            })
    }

    private var unplaced: Table {
        Table(
            [.init("NAME", minimum: 12), .init("WHY", minimum: 20)],
            plan.report.unplaced.map { [Text("\($0.project)/\($0.name)"), Text($0.explanation.sentence)] })
    }
}
