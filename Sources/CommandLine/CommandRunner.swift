internal import ArgumentParser
internal import Client

/// Runs one command line to its exit status.
public struct CommandRunner: Sendable {
    private let surroundings: Surroundings

    public init(_ surroundings: Surroundings) { self.surroundings = surroundings }

    /// - Parameter arguments: without the name of the program.
    public func run(_ arguments: [String]) async -> ExitStatus {
        do {
            if let message = CommandTree.misspelling(in: arguments) { throw CommandFailure(message) }
            return try await execute(try Basalt.parseAsRoot(arguments))
        } catch let failure as CommandFailure {
            return report(failure)
        } catch let error as ClientError {
            return report(CommandFailure(error))
        } catch is CancellationError {
            return .interrupted
        } catch {
            return report(parsing: error, of: arguments)
        }
    }

    private func execute(_ parsed: any ParsableCommand) async throws -> ExitStatus {
        if let command = parsed as? any BasaltCommand { return try await command.run(in: surroundings) }
        var group = parsed
        try group.run()
        return .done
    }

    private func report(_ failure: CommandFailure) -> ExitStatus {
        for line in failure.lines { surroundings.console.writeError(Printable.clean(line) + "\n") }
        return failure.status
    }

    /// Help goes to standard output; a usage error is one line.
    private func report(parsing error: any Error, of arguments: [String]) -> ExitStatus {
        guard Basalt.exitCode(for: error) != .success else {
            let examples = CommandExamples.section(CommandTree.path(of: arguments))
            surroundings.console.write(Basalt.fullMessage(for: error) + "\n" + examples)
            return .done
        }
        let message = Basalt.message(for: error)
        let line =
            message.split(separator: "\n").first.map(String.init) ?? "the command line is not understood"
        return report(CommandFailure(line))
    }
}
