internal import ArgumentParser
internal import Foundation

/// Names and arguments of a command and those below it, as the parser tells them about itself.
struct CommandOutline: Decodable {
    struct Argument: Decodable {
        enum Form: String, Decodable { case positional, option, flag }

        struct Name: Decodable {
            var kind: String
            var name: String

            /// As typed: `--output`, `-o`.
            var typed: String { (kind == "long" ? "--" : "-") + name }
        }

        var kind: Form
        var shouldDisplay: Bool
        var isRepeating: Bool
        var names: [Name]?
        var valueName: String?
    }

    var commandName: String
    var shouldDisplay: Bool
    var subcommands: [CommandOutline]?
    var arguments: [Argument]?

    private struct Dump: Decodable { var command: CommandOutline }

    static func basalt() throws -> CommandOutline {
        try JSONDecoder().decode(Dump.self, from: Data(Basalt._dumpHelp().utf8)).command
    }

    var positionals: [Argument] { (arguments ?? []).filter { $0.kind == .positional } }

    func subcommand(_ name: String) -> CommandOutline? { subcommands?.first { $0.commandName == name } }

    /// The flag or option of a word such as `-o`, `--output` or `--output=json`.
    func option(_ word: String) -> Argument? {
        let name = word.prefix { $0 != "=" }
        return arguments?.first { $0.names?.contains { $0.typed == name } ?? false }
    }
}
