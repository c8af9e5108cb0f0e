internal import Fleet
internal import ArgumentParser

/// Finds a command name that does not exist, which the parser would report as a surplus argument.
enum CommandTree {
    /// The message, or nil when the leading names are those of commands.
    static func misspelling(in arguments: [String]) -> String? {
        var command: any ParsableCommand.Type = Basalt.self
        var path = "command"
        for argument in arguments {
            let choices = command.configuration.subcommands
            guard !choices.isEmpty, !argument.hasPrefix("-"), argument != "help" else { return nil }
            guard let next = choices.first(where: { $0._commandName == argument }) else {
                return NearestChoice.refusal(path, argument, among: choices.map { $0._commandName })
            }
            command = next
            path = "\(argument) command"
        }
        return nil
    }
}
