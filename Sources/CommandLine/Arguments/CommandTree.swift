internal import Fleet
internal import ArgumentParser

/// Finds a command name that does not exist, which the parser would report as a surplus argument.
enum CommandTree {
    /// Names of the command that arguments are for, those of `help` as well.
    static func path(of arguments: [String]) -> [String] {
        var command: any ParsableCommand.Type = Basalt.self
        var path: [String] = []
        for argument in arguments where !(path.isEmpty && argument == "help") {
            guard let next = command.configuration.subcommands.first(where: { $0._commandName == argument })
            else { break }
            command = next
            path.append(argument)
        }
        return path
    }

    /// Paths of the commands that do something and are shown.
    static var leaves: [[String]] {
        func below(_ command: any ParsableCommand.Type, _ path: [String]) -> [[String]] {
            let subcommands = command.configuration.subcommands.filter { $0.configuration.shouldDisplay }
            guard !subcommands.isEmpty else { return [path] }
            return subcommands.flatMap { below($0, path + [$0._commandName]) }
        }
        return below(Basalt.self, [])
    }

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
