internal import ServingPlanning

/// A mix of GPUs for people: what is rented, and how sure it is that nothing is cheaper.
enum GPUMixTable {
    static func presentation(of mix: GPUMix) throws -> Presentation {
        let least = ServingPlanTable.number(mix.leastCost)
        let fields: [Presentation.Field] = [
            .init("Cost", Text("$\(ServingPlanTable.number(mix.costPerHour))/h")),
            .init(
                "Cheaper",
                mix.isCheapest
                    ? Text("no mix is")
                    : Text("not ruled out: fractions of GPUs would cost $\(least)/h", .warning)),
            .init("Search", Text("\(mix.evaluations) steps")),
        ]
        let table = Table(
            [
                .init("TYPE"), .init("GPUS", .always, .right), .init("USED", .always, .right),
                .init("$/H", .always, .right),
            ],
            mix.gpus.map { share in
                let used = share.count > 0 ? share.load / Double(share.count) : 0
                return [
                    Text(share.name), Text("\(share.count)"), Text(ServingPlanTable.percent(used)),
                    Text(ServingPlanTable.number(share.price * Double(share.count))),
                ]
            })
        return Presentation(
            [.fields(fields), .table(table)], names: mix.gpus.filter { $0.count > 0 }.map(\.name),
            value: try Serialization.tree(mix))
    }
}
