internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet

struct HostBreakerGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "breaker", abstract: "Shows and answers what keeps lost hosts from being fenced.",
        subcommands: [HostBreakerListCommand.self, HostBreakerResetCommand.self])
}

struct HostBreakerListCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists failure domains that lost too many hosts at once.")

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let breakers = try await connection.connected(surroundings) { client, _ in
            try await client.breakers()
        }
        let now = surroundings.now()
        let table = Table(
            [
                .init("NAME", minimum: 8), .init("CELL", minimum: 8), .init("LOST", .always, .right),
                .init("HOSTS", .always, .right), .init("AGE", .always, .right),
            ],
            breakers.map { breaker in
                [
                    Text(breaker.zone, .bad), Text(breaker.cell), Text(String(breaker.lost)),
                    Text(String(breaker.hosts)), Text(DurationText.short(now.since(breaker.since))),
                ]
            })
        let presentation = Presentation(
            [.table(table)], names: breakers.map { "breaker/\($0.cell)/\($0.zone)" },
            value: .object(["items": .array(try breakers.map { try Serialization.tree($0) })]))
        output.show(presentation, surroundings)
        return .done
    }
}

struct HostBreakerResetCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset", abstract: "Confirms that the silent hosts of a zone are lost.",
        discussion: """
            They are fenced when their time is over: workloads with onPartition stop start elsewhere. The others \
            wait for basalt host fence or for their host.
            """)

    @Argument(help: "Cell.") var cell: String
    @Option(help: "Failure domain, as basalt host breaker list shows it.") var zone = ""
    @Option(help: "How you know that they are lost.") var reason: String
    @Flag(help: "Do not ask.") var yes = false
    @Flag(help: "Only show how many hosts that are.") var dryRun = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try Confirmation.ask(
            "Are all silent hosts of zone \"\(zone)\" in cell \(cell) lost?", yes: yes || dryRun,
            flag: "--yes",
            surroundings)
        let answer = try await connection.connected(surroundings) { client, _ in
            try await client.resetBreaker(cell: cell, zone: zone, reason: reason, dryRun: dryRun)
        }
        let line = "\(answer.confirmed) hosts of zone \"\(zone)\" may be fenced now"
        let presentation = Presentation(
            [.lines([dryRun ? line + " (dry run)" : line])],
            names: ["breaker/\(cell)/\(zone)"], value: try Serialization.tree(answer))
        output.show(presentation, surroundings)
        return .done
    }
}
