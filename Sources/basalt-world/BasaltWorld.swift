internal import ArgumentParser

/// The simulated world as a program: faults are what it does when nothing else is asked for.
@main
struct BasaltWorld: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "basalt-world", abstract: "Run simulated worlds.",
        subcommands: [Program.self, ProblemGroup.self, ServeCommand.self, SessionCommand.self],
        defaultSubcommand: Program.self)
}
