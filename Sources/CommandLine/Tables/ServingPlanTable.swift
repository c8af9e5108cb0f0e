internal import Foundation
internal import ServingPlanning

/// A serving plan for people: groups, routes, and what was to be said about the whole.
enum ServingPlanTable {
    static func presentation(of plan: ServingPlan) throws -> Presentation {
        var blocks: [Presentation.Block] = [.fields(fields(plan)), .heading("Groups"), .table(groups(plan))]
        blocks += [.heading("Routes"), .table(routes(plan))]
        return Presentation(
            blocks, names: plan.groups.map(\.name), value: try Serialization.tree(plan))
    }

    private static func fields(_ plan: ServingPlan) -> [Presentation.Field] {
        var fields: [Presentation.Field] = [
            .init("Model", Text("\(plan.model) at \(number(plan.rate)) requests/s")),
            .init("In time", Text(percent(plan.predicted.attainment))),
            .init("Goodput", Text("\(number(plan.predicted.goodput)) requests/s")),
            .init("Cost", Text("$\(number(plan.costPerHour))/h")),
            .init("Short of", Text(plan.explanation.binding.rawValue)),
            .init("Phases", Text(phases(plan))),
            .init(
                "Search",
                Text(
                    "\(plan.evaluations) plans in \(number(plan.searchMs)) ms"
                        + (plan.isCapped ? ", ended by time" : ""), plan.isCapped ? .warning : .plain)),
            .init("Spare", Text(optional: plan.spare.joined(separator: " "))),
        ]
        if let repair = plan.repair { fields += self.fields(repair) }
        return fields
    }

    /// Whether it pays to part the phases.
    private static func phases(_ plan: ServingPlan) -> String {
        let kinds = Set(plan.groups.map(\.phase))
        if kinds == [.both] { return "together: parting prefill and decode does not pay here" }
        return kinds.contains(.both) ? "parted for some groups" : "parted"
    }

    private static func fields(_ repair: PlanRepair) -> [Presentation.Field] {
        var fields: [Presentation.Field] = [
            .init("Event", Text(repair.event)),
            .init("Down", Text(optional: repair.down.joined(separator: " "))),
            .init("Flipped", Text(optional: repair.flipped.joined(separator: " "))),
            .init("Before", Text("\(percent(repair.staleAttainment)) in time with the old routes")),
            .init(
                "New routes",
                Text("\(percent(repair.routesAttainment)) in time after \(number(repair.routesMs)) ms")),
        ]
        if let proposal = repair.proposal {
            fields.append(
                .init(
                    "From nothing",
                    Text(
                        "\(percent(proposal.attainment)) in time after \(number(proposal.reloadSeconds)) s of "
                            + "loading: \(proposal.pays ? "pays" : "does not pay")")))
        }
        return fields
    }

    private static func groups(_ plan: ServingPlan) -> Table {
        let worth = Dictionary(
            plan.explanation.groups.map { ($0.group, $0) }, uniquingKeysWith: { first, _ in first })
        return Table(
            [
                .init("NAME"), .init("PHASE"), .init("PROMPTS/S", .always, .right),
                .init("REQUESTS/S", .always, .right), .init("BATCH", .roomy, .right),
                .init("USE", .always, .right), .init("GPU-WORTH", .always, .right),
                .init("$/H", .roomy, .right), .init("STAGES", .always, .left, minimum: 20),
            ],
            plan.groups.map { group in
                let own = worth[group.name]
                return [
                    Text(group.name), Text(group.phase.rawValue), Text(number(group.prefillRate)),
                    Text(number(group.decodeRate)), Text("\(group.batch)"),
                    Text(percent(max(own?.prefillUse ?? 0, own?.decodeUse ?? 0))),
                    Text(percent(own?.gpuWorth ?? 0)), Text(number(group.costPerHour)),
                    Text(group.stages.map(stage).joined(separator: " > ")),
                ]
            })
    }

    private static func stage(_ stage: ServingPlan.PlacedStage) -> String {
        "\(stage.node) \(stage.gpus.count)x\(stage.type)/\(stage.layers)"
    }

    private static func routes(_ plan: ServingPlan) -> Table {
        Table(
            [
                .init("PREFILL"), .init("DECODE"), .init("SHARE", .always, .right),
                .init("WEIGHT", .always, .right), .init("IN-TIME", .always, .right),
                .init("TRANSFER-MS", .always, .right), .init("MB/S", .roomy, .right),
                .init("LINKS", .roomy, .right),
            ],
            plan.routes.map { route in
                [
                    Text(route.prefill), Text(route.decode), Text(percent(route.share)),
                    Text(percent(route.weight)), Text(percent(route.attainment)),
                    Text(number(route.transferSeconds * 1000)),
                    Text(optional: route.bytesPerSecond.map { number($0 / 1e6) } ?? ""),
                    Text(optional: route.linkUse.map(percent) ?? ""),
                ]
            })
    }

    static func percent(_ share: Double) -> String { String(format: "%.1f%%", share * 100) }

    static func number(_ value: Double) -> String { String(format: "%.2f", value) }
}
