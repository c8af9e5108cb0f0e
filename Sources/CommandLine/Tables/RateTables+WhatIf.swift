internal import Fleet

extension RateTables {
    /// The proposal, and both frontiers.
    func whatIf(_ item: WhatIfStatement) throws -> Presentation {
        let span = "\(item.hours) h" + (item.until.map { " to \($0)" } ?? "")
        var fields: [Presentation.Field] = [
            .init("Scope", Text("\(item.scope) of cell \(item.cell)")),
            .init("Ratio", Text(Quantity.cpu(item.ratioPerMille))),
            .init(
                "Looked at",
                Text(item.hours > 0 ? span : "nothing is known yet", item.hours > 0 ? .plain : .warning)),
            .init("Sold", Text("\(Quantity.cpu(item.soldMilliCPU)) vCPU")),
            .init("Peak", Text("\(Quantity.cpu(item.peakMilliCPU)) vCPU in use at once")),
            .init("Stranded", Text("\(Quantity.cpu(item.strandedMilliCPU)) vCPU, sold and never in use")),
        ]
        if let proposal = item.proposal {
            let peak = Self.percent(proposal.predictedPeak)
            fields += [
                .init(
                    "Would be",
                    Text(
                        "\(Quantity.cpu(proposal.ratioPerMille)), which saves \(Quantity.cpu(proposal.benefitMilliCPU)) vCPU"
                    )),
                .init(
                    "Predicted",
                    Text("\(peak) of the vCPUs at most, \(Self.percent(proposal.risk)) of hours hot")),
                .init("Notes", Text(optional: proposal.notes.map(\.rawValue).joined(separator: ", "))),
                .init("Asks", Text(optional: proposal.asks.map(\.rawValue).joined(separator: ", "))),
            ]
        } else {
            fields.append(.init("Would be", Text("not decided: two weeks of use are not known", .warning)))
        }
        var blocks: [Presentation.Block] = [.fields(fields)]
        if !item.rates.isEmpty { blocks += [.heading("Ratios"), .table(Self.table(of: item.rates))] }
        if !item.packing.isEmpty {
            let host = "\(item.vms) VMs on hosts of \(Quantity.cpu(item.hostMilliCPU)) vCPU"
            blocks += [.heading("Packing: \(host)"), .table(Self.table(of: item.packing))]
        }
        return Presentation(blocks, names: [item.scope.description], value: try Serialization.tree(item))
    }

    private static func table(of points: [WhatIfStatement.RatePoint]) -> Table {
        Table(
            [
                .init("NAME"), .init("HOT", .always, .right), .init("SHORT", .always, .right),
                .init("SAVED", .always, .right),
            ],
            points.map { point in
                [
                    Text(point.policy), Text(percent(point.risk)), Text(percent(point.severity)),
                    Text(percent(point.benefit)),
                ]
            })
    }

    private static func table(of points: [WhatIfStatement.PackingPoint]) -> Table {
        Table(
            [
                .init("NAME"), .init("HOSTS", .always, .right), .init("SAVED", .always, .right),
                .init("HOT", .always, .right), .init("UNMET", .always, .right),
            ],
            points.map { point in
                [
                    Text(point.policy), Text(String(point.hosts)), Text(percent(point.savedShare)),
                    Text(percent(point.hotShare)), Text(percent(point.unmetShare)),
                ]
            })
    }
}
