internal import Foundation
internal import ServingPlanning

/// What each further dollar buys, for people.
enum ServingFrontierTable {
    static func presentation(of frontier: ServingFrontier) throws -> Presentation {
        let table = Table(
            [
                .init("$/H", .always, .right), .init("IN-TIME", .always, .right),
                .init("NODES", .always, .left, minimum: 20),
            ],
            frontier.points.map { point in
                [
                    Text(ServingPlanTable.number(point.costPerHour)),
                    Text(ServingPlanTable.percent(point.attainment)),
                    Text(point.nodes.joined(separator: " ")),
                ]
            })
        let search = "\(frontier.evaluations) plans" + (frontier.isCapped ? ", ended by time" : "")
        return Presentation(
            [
                .fields([
                    .init("Requests", Text("\(ServingPlanTable.number(frontier.rate))/s")),
                    .init("Search", Text(search, frontier.isCapped ? .warning : .plain)),
                ]), .heading("Frontier"), .table(table),
            ], names: frontier.points.map { ServingPlanTable.number($0.costPerHour) },
            value: try Serialization.tree(frontier))
    }
}
