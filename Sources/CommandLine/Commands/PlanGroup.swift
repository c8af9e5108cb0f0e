internal import ArgumentParser

struct PlanGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Makes plans from files, without a control plane.",
        subcommands: [PlanServingCommand.self])
}
