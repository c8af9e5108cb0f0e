internal import APITypes
internal import ArgumentParser
internal import Client

struct JoinTokenGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "join-token", abstract: "Lets agents join.", subcommands: [JoinTokenCreateCommand.self])
}

struct JoinTokenCreateCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Makes a single-use token with which one agent joins.")

    @Option(help: "Cell of the hosts.") var cell: String
    @Option(help: "Pool of the hosts.") var pool: String
    @Option(help: "Names the agent may carry; * at the end stands for any rest.") var hosts: String
    @Option(help: "Lifetime, such as 15m.") var ttl = "1h"
    @Option(help: "Write the secret to this file, readable by its owner only, instead of showing it.")
    var secretFile: String?
    @Flag(help: "Only show what would be made.") var dryRun = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let seconds = Int(try DurationText.parse(ttl).components.seconds)
        let request = JoinTokenRequest(cell: cell, pool: pool, hosts: hosts, ttlSeconds: seconds)
        let answer = try await connection.connected(surroundings) { client, _ in
            dryRun
                ? try Serialization.tree(try await client.dryRunCreateJoinToken(request))
                : try Serialization.tree(try await client.createJoinToken(request))
        }
        try SecretPresentation(
            answer: answer, name: "jointoken/\(hosts)", file: dryRun ? nil : secretFile
        )
        .show(output, surroundings)
        return .done
    }
}
