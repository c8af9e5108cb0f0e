internal import Fleet

extension RateTables {
    private static let secondsPerDay = 86_400.0

    /// The budget of a scope and its days, newest first.
    func risk(_ item: RiskStatement) throws -> Presentation {
        let spent = "\(Self.percent(item.burned)) of \(Self.percent(item.target)) over \(item.windowDays) d"
        let fields: [Presentation.Field] = [
            .init("Scope", Text("\(item.scope) of cell \(item.cell)")),
            .init("Ratio", Text(Quantity.cpu(item.ratioPerMille))),
            .init("Budget", Text(item.state.rawValue, item.state == .open ? .plain : .warning)),
            .init("Burnt", Text(spent)),
            .init("Accounted", Text(item.accountedTo.map { "to \($0)" } ?? "nothing yet")),
            .init("Trial", Text(optional: item.trial.map(Self.words))),
        ]
        return Presentation(
            [.fields(fields), .heading("Days"), .table(Self.table(of: item.days.reversed()))],
            names: [item.scope.description], value: try Serialization.tree(item))
    }

    private static func words(_ trial: RateTrial) -> String {
        "\(Quantity.cpu(trial.ratioPerMille)) on \(trial.hosts.joined(separator: ", ")) since \(trial.startedAt)"
    }

    private static func table(of days: [RiskDay]) -> Table {
        Table(
            [
                .init("NAME"), .init("BINS", .always, .right), .init("HOT", .always, .right),
                .init("PREDICTED", .always, .right), .init("NOMINAL", .always, .right),
                .init("REALIZED", .always, .right),
            ],
            days.map { day in
                let date = Timestamp(seconds: Double(day.day) * secondsPerDay).description.prefix(10)
                return [
                    Text(String(date)), Text(String(day.bins)),
                    Text(percent(day.realizedRisk), day.hotBins > 0 ? .warning : .plain),
                    Text(percent(day.predictedRisk)), Text(Quantity.cpu(day.nominalMilliCPU)),
                    Text(Quantity.cpu(day.realizedMilliCPU)),
                ]
            })
    }
}
