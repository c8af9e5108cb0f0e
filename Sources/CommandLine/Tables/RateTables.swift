internal import APITypes
internal import Fleet
internal import Foundation

/// Ratios of oversubscription, as rows and cards.
struct RateTables {
    let now: Timestamp

    /// What is in force, one scope a line.
    func rates(_ items: [RateExplanation]) throws -> Presentation {
        let table = Table(
            [
                .init("NAME", minimum: 12), .init("RATIO", .always, .right), .init("FROM", minimum: 10),
                .init("MODE"), .init("CLAMPS", .roomy), .init("HOSTS", .always, .right),
                .init("OVERFULL", .always, .right), .init("SOLD", .always, .right),
                .init("LIMIT", .roomy, .right), .init("PEAK", .always, .right),
                .init("CELL", .wide), .init("GUARANTEED", .wide, .right),
            ],
            items.map { item in
                [
                    Text(item.scope.description), Text(Quantity.cpu(item.effective.ratioPerMille)),
                    Text(optional: item.effective.scope?.description),
                    Text(optional: item.effective.mode?.rawValue),
                    Text(optional: item.effective.clamps.map(\.rawValue).joined(separator: ",")),
                    Text(String(item.use.hosts)),
                    Text(String(item.use.overfullHosts), item.use.overfullHosts > 0 ? .warning : .plain),
                    Text(Quantity.cpu(item.use.sharedMilliCPU)),
                    Text(Quantity.cpu(item.use.sharedLimitMilliCPU)),
                    Text(Quantity.cpu(item.use.peakMilliCPU)), Text(item.cell),
                    Text(Quantity.cpu(item.use.guaranteedMilliCPU)),
                ]
            })
        return try list([.table(table)], items, names: items.map(\.scope.description))
    }

    /// Why the ratio of one scope is what it is.
    func explanation(_ item: RateExplanation) throws -> Presentation {
        let (effective, use) = (item.effective, item.use)
        var fields: [Presentation.Field] = []
        if let vm = item.vm {
            let peak = vm.peakMilliCPU.map(Quantity.cpu) ?? "not known, all of it counts"
            let share = vm.class == .guaranteed ? "never oversubscribed" : "at most \(peak) in use at once"
            fields.append(
                .init(
                    "VM",
                    Text(
                        "\(vm.project)/\(vm.name), \(vm.class.rawValue), \(Quantity.cpu(vm.milliCPU)) vCPU, \(share)"
                    )))
        }
        fields += [
            .init("Scope", Text("\(item.scope) of cell \(item.cell)")),
            .init("Ratio", Text(Quantity.cpu(effective.ratioPerMille))),
            .init("From", Text(optional: effective.scope?.description)),
            .init("Policy", Text(optional: effective.policy.map { "\($0.name) version \($0.version)" })),
            .init("Mode", Text(optional: effective.mode?.rawValue)),
            .init("Clamps", Text(optional: effective.clamps.map(\.rawValue).joined(separator: ", "))),
            .init(
                "Guaranteed",
                Text(
                    "\(Quantity.cpu(use.guaranteedMilliCPU)) of \(Quantity.cpu(use.usableMilliCPU)) vCPU, sold once"
                )),
            .init(
                "Sold",
                Text("\(Quantity.cpu(use.sharedMilliCPU)) of \(Quantity.cpu(use.sharedLimitMilliCPU)) vCPU")),
            .init("Peak", Text(peak(use))),
            .init("Lately", Text(optional: item.latest.map(Self.lately))),
            .init("N+1", Text(optional: use.spareAfterLossMilliCPU.map(Self.spare))),
            .init(
                "Overfull",
                Text("\(use.overfullHosts) of \(use.hosts) hosts", use.overfullHosts > 0 ? .warning : .plain)),
            .init("Exceptions", Text(optional: item.exceptions.map(\.name).joined(separator: ", "))),
        ]
        if let decision = item.decision {
            fields.append(
                .init(
                    "Decision",
                    Text(
                        "\(Quantity.cpu(decision.ratioPerMille)), \(decision.state.rawValue), from \(decision.windowStart)"
                    )))
            fields.append(.init("Next", Text(optional: item.nextWindow.map { "decided anew from \($0)" })))
        }
        var blocks: [Presentation.Block] = [
            .fields(fields), .heading("Sources"), .table(sources(item.sources)),
        ]
        let constraints = item.sources.flatMap(\.constraints)
        if !constraints.isEmpty { blocks += [.heading("Constraints"), .table(table(of: constraints))] }
        return Presentation(blocks, names: [item.scope.description], value: try Serialization.tree(item))
    }

    /// What was in use, beside what was predicted.
    private static func lately(_ hour: RateExplanation.Latest) -> String {
        let predicted = hour.predictedPeak.map { ", predicted \(percent($0)) at most" } ?? ""
        return "\(percent(hour.peak)) in use at once in the hour from \(hour.at)\(predicted)"
    }

    private static func spare(_ milliCPU: Int) -> String {
        milliCPU >= 0
            ? "\(Quantity.cpu(milliCPU)) vCPU left to sell after the loss of any one host"
            : "\(Quantity.cpu(-milliCPU)) vCPU of some host would find no place after its loss"
    }

    private func peak(_ use: RateExplanation.Use) -> String {
        let limit = use.peakLimitMilliCPU.map { "of \(Quantity.cpu($0)) vCPU" } ?? "vCPU; no policy limits it"
        return "\(Quantity.cpu(use.peakMilliCPU)) \(limit)"
    }

    private func sources(_ items: [RateExplanation.Source]) -> Table {
        Table(
            [
                .init("NAME", minimum: 12), .init("POLICY", minimum: 10), .init("MODE"),
                .init("POOL-RATIO", .always, .right), .init("DECIDED", .always, .right),
                .init("CONSTRAINTS", .always, .right),
            ],
            items.map { item in
                [
                    Text(item.scope.description),
                    Text(optional: item.policy.map { "\($0.name)@\($0.version)" }),
                    Text(optional: item.mode?.rawValue),
                    Text(optional: item.plainRatioPerMille.map(Quantity.cpu)),
                    Text(optional: item.decidedRatioPerMille.map(Quantity.cpu)),
                    Text(String(item.constraints.count)),
                ]
            })
    }

    func constraints(_ items: [ScopeConstraint]) throws -> Presentation {
        try list([.table(table(of: items))], items, names: items.map { "constraint/\($0.id)" })
    }

    func constraint(_ item: ScopeConstraint) throws -> Presentation {
        Presentation(
            [.table(table(of: [item]))], names: ["constraint/\(item.id)"],
            value: try Serialization.tree(item))
    }

    private func table(of items: [ScopeConstraint]) -> Table {
        Table(
            [
                .init("NAME"), .init("SCOPE", minimum: 10), .init("VERB"), .init("RATIO", .always, .right),
                .init("AUTHOR", .roomy), .init("EXPIRES", .roomy), .init("REASON", .wide),
                .init("AGE", .always, .right),
            ],
            items.map { item in
                [
                    Text(item.id.description), Text(item.scope.description), Text(item.verb.rawValue),
                    Text(optional: item.ratioPerMille.map(Quantity.cpu)), Text(item.author),
                    Text(item.expiresAt?.description ?? "never"), Text(item.reason),
                    Text(DurationText.short(now.since(item.createdAt))),
                ]
            })
    }

    func decisions(_ items: [ScopeDecision]) throws -> Presentation {
        try list([.table(table(of: items))], items, names: items.map { "decision/\($0.id)" })
    }

    private func table(of items: [ScopeDecision]) -> Table {
        Table(
            [
                .init("NAME"), .init("SCOPE", minimum: 10), .init("STATE"), .init("FROM", .always, .right),
                .init("TO", .always, .right), .init("SAVED", .roomy, .right), .init("HOT", .roomy, .right),
                .init("ASKS", .wide), .init("POLICY", .wide), .init("WINDOW", .wide),
                .init("AGE", .always, .right),
            ],
            items.map { item in
                [
                    Text(item.id.description), Text(item.scope.description),
                    Text(item.isShadow ? "shadow" : item.state.rawValue),
                    Text(Quantity.cpu(item.priorRatioPerMille)), Text(Quantity.cpu(item.ratioPerMille)),
                    Text(Quantity.cpu(item.evidence.benefitMilliCPU)), Text(Self.percent(item.evidence.risk)),
                    Text(optional: item.asks.map(\.rawValue).joined(separator: ",")),
                    Text("\(item.evidence.policy.name)@\(item.evidence.policy.version)"),
                    Text(item.windowStart.description), Text(DurationText.short(now.since(item.createdAt))),
                ]
            })
    }

    /// What a person decides by: the curve, the ratio, what it saves and risks, and why somebody is asked.
    func card(_ item: ScopeDecision) throws -> Presentation {
        let evidence = item.evidence
        let fields: [Presentation.Field] = [
            .init("Scope", Text("\(item.scope) of cell \(item.cell)")),
            .init(
                "Proposed",
                Text("\(Quantity.cpu(item.priorRatioPerMille)) to \(Quantity.cpu(item.ratioPerMille))")),
            .init(
                "Saves",
                Text("\(Quantity.cpu(evidence.benefitMilliCPU)) of \(Quantity.cpu(evidence.milliCPU)) vCPU")),
            .init("Peak", Text("\(Self.percent(evidence.predictedPeak)) of the vCPUs in use at once")),
            .init("Hot", Text("\(Self.percent(evidence.risk)) of the hours not learnt from")),
            .init("Asked", Text(optional: item.asks.map(\.rawValue).joined(separator: ", "))),
            .init("Notes", Text(optional: evidence.notes.map(\.rawValue).joined(separator: ", "))),
            .init("Prototype", Text(optional: evidence.prototype.map(String.init))),
            .init("Members", Text(optional: evidence.members.map(\.description).joined(separator: ", "))),
            .init("Policy", Text("\(evidence.policy.name) version \(evidence.policy.version)")),
        ]
        return Presentation(
            [
                .fields(fields), .heading("Day, from midnight"),
                .lines([
                    "typical  \(Self.curve(evidence.typicalDay))",
                    "worst    \(Self.curve(evidence.worstDay))",
                ]),
            ], names: ["decision/\(item.id)"], value: try Serialization.tree(item))
    }

    /// One character an hour, from nothing in use to all of it.
    static func curve(_ shares: [Double]) -> String {
        let levels = Array(" ▁▂▃▄▅▆▇█")
        return String(
            shares.map { levels[Int((min(max($0, 0), 1) * Double(levels.count - 1)).rounded(.up))] })
    }

    static func percent(_ share: Double) -> String {
        String(format: "%.1f %%", locale: Locale(identifier: "en_US_POSIX"), share * 100)
    }

    private func list(
        _ blocks: [Presentation.Block], _ items: [some Encodable], names: [String]
    ) throws -> Presentation {
        Presentation(
            blocks, names: names,
            value: .object(["items": .array(try items.map { try Serialization.tree($0) })]))
    }
}
