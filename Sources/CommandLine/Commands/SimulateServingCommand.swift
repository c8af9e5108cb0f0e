internal import APITypes
internal import ArgumentParser
internal import Foundation
internal import Replay
internal import ServingPlanning

struct SimulateServingCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "serving",
        abstract: "Serves requests by a plan, event by event, and counts those in time.",
        discussion: """
            With --timestamps requests come when the file says; otherwise at random, in an order drawn \
            with the seed, at --rate or at the rate that the plan was made for.
            """)

    @Option(help: "File of a plan, as plan serving -o json wrote it.", completion: .file()) var plan: String
    @OptionGroup var requestOptions: ServingRequestOptions
    @Flag(help: "Also search the largest rate at which the plan's target share is in time.")
    var goodput = false
    @Option(help: "Seed of arrivals.") var seed: UInt64 = 1
    @OptionGroup var output: OutputOptions

    /// What is shown.
    struct Result: Encodable {
        var rate: Double
        var service: SimulatedService
        /// Requests per second.
        var goodput: Double?
    }

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try ServingFailure.wrap {
            let plan = try ServingFailure.plan(plan)
            let simulation = try PlanSimulation(plan)
            let requests = try requestOptions.read()
            let sizes = TimedRequest.shuffled(requests.sizes, seed: seed)
            var rate = requestOptions.rate ?? plan.rate
            var timed = TimedRequest.poisson(sizes, rate: rate, seed: seed)
            if requestOptions.timestamps {
                guard let known = requests.timed else {
                    throw CommandFailure("the requests have no timestamps; give --rate")
                }
                timed = known
                rate = requests.rate ?? 0
            }
            let result = Result(
                rate: rate, service: try simulation.run(timed),
                goodput: goodput ? simulation.goodput(sizes, seed: seed) : nil)
            output.show(try Self.presentation(of: result), surroundings)
        }
        return .done
    }

    static func presentation(of result: Result) throws -> Presentation {
        let service = result.service
        func row(_ name: String, _ times: SimulatedService.Percentiles, _ share: Double) -> [Text] {
            [Text(name)] + [times.p50, times.p90, times.p99].map { Text(String(format: "%.4f", $0)) }
                + [Text(ServingPlanTable.percent(share))]
        }
        let table = Table(
            [
                .init("NAME"), .init("P50", .always, .right), .init("P90", .always, .right),
                .init("P99", .always, .right), .init("IN-TIME", .always, .right),
            ],
            [
                row("ttft", service.ttft, service.ttftAttainment),
                row("tpot", service.tpot, service.tpotAttainment),
                row("e2e", service.e2e, service.e2eAttainment),
            ])
        var fields: [Presentation.Field] = [
            .init(
                "Requests",
                Text("\(service.requests) at \(ServingPlanTable.number(result.rate))/s, \(service.shed) shed")
            ),
            .init("In time", Text(ServingPlanTable.percent(service.attainment))),
        ]
        if let goodput = result.goodput {
            fields.append(.init("Goodput", Text("\(ServingPlanTable.number(goodput)) requests/s")))
        }
        return Presentation(
            [.fields(fields), .heading("Seconds"), .table(table)], names: ["ttft", "tpot", "e2e"],
            value: try Serialization.tree(result))
    }
}
