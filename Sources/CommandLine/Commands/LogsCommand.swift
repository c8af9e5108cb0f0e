internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet

struct LogsCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Shows what the command of a VM, or a rank of a training job, wrote.",
        discussion: "Hosts that run processes keep the newest output of each part while it is there.")

    @Argument(help: "Name of the VM, or trainingjob/NAME.") var name: String
    @Option(help: "Part of a training job, such as worker-1; the first when absent.") var part: String?
    @Flag(name: .shortAndLong, help: "Go on showing new output until it ends.") var follow = false
    @Option(help: "How many of the last lines to begin with; all that is kept when absent.") var tail: Int?
    @OptionGroup var projectOption: ProjectOption
    @OptionGroup var connection: ConnectionOptions

    /// Wait of one request while following; the server allows no more.
    private static let wait = Duration.seconds(10)

    func validate() throws {
        if let tail, !(0...100_000).contains(tail) {
            throw ValidationError("--tail is \(tail), outside 0 to 100000")
        }
        _ = try target
    }

    private var target: (kind: Kind, name: String) {
        get throws {
            let words = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            guard words.count == 2 else { return (.vm, name) }
            guard let kind = Kind(named: words[0]), [.vm, .trainingJob].contains(kind) else {
                throw ValidationError("\(words[0]) has no output; write NAME, vm/NAME or trainingjob/NAME")
            }
            return (kind, words[1])
        }
    }

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try await connection.connected(surroundings) { client, connection in
            let project = try projectOption.name(connection)
            let target = try target
            var position: Int?
            while true {
                let piece = try await client.output(
                    of: target.kind, target.name, project: project, part: part, after: position,
                    tail: position == nil ? tail : nil,
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
