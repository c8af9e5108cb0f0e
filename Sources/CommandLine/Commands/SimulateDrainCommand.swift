internal import APITypes
internal import ArgumentParser
internal import Fleet
internal import Replay
internal import VMPlacement

struct SimulateDrainCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Empties hosts that a trace keeps in use, once per order of migrations.",
        discussion:
            "Example: basalt simulate drain --trace vms.csv --order lars,creation --slots 3 --fraction 0.2")

    @OptionGroup var traceOptions: TraceOptions
    @Option(
        help: "lars, creation, random, biggest, shortest or oracle, separated by commas; all when absent.")
    var order: String?
    @Option(help: "Migrations of a host at once.") var slots = 3
    @Option(help: "Minutes that a migration takes.") var minutes = 20
    @Option(help: "Share of the hosts in use that are emptied, the emptiest first.") var fraction = 1.0
    @Option(help: "Hosts of the fleet.") var hosts = 300
    @Option(help: "vCPUs and GiB of every host.") var hostShape = "64x192"
    @Option(help: "Policy that fills the fleet.") var policy = PlacementPolicy.nilas.rawValue
    @Option(help: "Seconds of the trace that fill the fleet before anything is drained.") var warmup = 0
    @Option(help: "Second of the trace at which to stop; the last arrival when absent.") var until: Int?
    @Option(help: "Seconds between drains.") var sample = 43_200
    @Option(help: "Seed of the oracle's errors and of random order.") var seed: UInt64 = 0
    @OptionGroup var lifetimes: LifetimeOptions
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try CommandFailure.explaining {
            let experiment = try DrainExperiment(
                fleet: try fleet,
                options: .init(orders: try orders, slots: slots, minutes: minutes, fraction: fraction))
            let trace = try traceOptions.read(columns: try lifetimes.prediction?.traceColumns() ?? [])
            let results = try experiment.run(trace, clock: UptimeClock(uptime: surroundings.uptime))
            output.show(try Self.presentation(of: results), surroundings)
        }
        return .done
    }

    private var fleet: VMExperiment.Options {
        get throws {
            VMExperiment.Options(
                hosts: hosts, shape: try HostShape(parsing: hostShape),
                policies: try PolicyName.policies(parsing: policy), warmUpSeconds: warmup,
                untilSeconds: until, sampleStepSeconds: sample,
                prediction: try lifetimes.prediction ?? .oracle(sigma: 0.5),
                lifetimes: try lifetimes.settings, seed: seed)
        }
    }

    private var orders: [DrainOrder] {
        get throws {
            guard let order else { return DrainOrder.allCases }
            return try order.split(separator: ",", omittingEmptySubsequences: false).map { name in
                if let order = DrainOrder(rawValue: String(name)) { return order }
                let known = DrainOrder.allCases.map(\.rawValue)
                throw OptionError(
                    field: "order", value: String(name), expected: known.joined(separator: " or "),
                    nearest: NearestChoice.of(String(name), among: known) ?? DrainOrder.lars.rawValue)
            }
        }
    }

    static func presentation(of results: [DrainResult]) throws -> Presentation {
        let table = Table(
            [
                .init("NAME"), .init("HOSTS", .always, .right), .init("MIGRATIONS", .always, .right),
                .init("AVOIDED", .always, .right), .init("CHANGE", .always, .right),
                .init("HOURS", .always, .right),
            ],
            results.map { result in
                [
                    Text(result.order.rawValue), Text(String(result.hosts)), Text(String(result.migrations)),
                    Text(String(result.avoided)), Text(Quantity.percent(result.changePct)),
                    Text(String(result.hoursToEmpty)),
                ]
            })
        return Presentation(
            [.table(table)], names: results.map(\.order.rawValue), value: try Serialization.tree(results))
    }
}
