internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet

struct LogsCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Shows what a VM's command wrote.",
        discussion: "Hosts that run processes keep the newest output of each VM while it is there.")

    @Argument(help: "Name of the VM.") var name: String
    @Flag(name: .shortAndLong, help: "Go on showing new output until the VM ends.") var follow = false
    @Option(help: "How many of the last lines to begin with; all that is kept when absent.") var tail: Int?
    @OptionGroup var projectOption: ProjectOption
    @OptionGroup var connection: ConnectionOptions

    /// Wait of one request while following; the server allows no more.
    private static let wait = Duration.seconds(10)

    func validate() throws {
        if let tail, !(0...100_000).contains(tail) {
            throw ValidationError("--tail is \(tail), outside 0 to 100000")
        }
    }

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try await connection.connected(surroundings) { client, connection in
            let project = try projectOption.name(connection)
            var position: Int?
            while true {
                let piece = try await client.output(
                    vm: name, project: project, after: position, tail: position == nil ? tail : nil,
                    wait: position != nil && follow ? Self.wait : .zero)
                if piece.skippedBytes > 0 {
                    surroundings.console.writeError("\(piece.skippedBytes) bytes are no longer kept\n")
                }
                if !piece.text.isEmpty { surroundings.console.write(piece.text) }
                position = piece.next
                if piece.isCaughtUp, piece.isEnd || !follow { return }
            }
        }
        return .done
    }
}
