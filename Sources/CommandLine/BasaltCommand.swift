internal import ArgumentParser

/// A command that does something. Groups of commands are plain `ParsableCommand`s.
protocol BasaltCommand: ParsableCommand {
    /// - Throws: ``CommandFailure``, `ClientError` or `CancellationError`.
    func run(in surroundings: Surroundings) async throws -> ExitStatus
}

/// The root of all commands.
struct Basalt: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "basalt", abstract: "Runs fleets of GPU and VM hosts.",
        groupedSubcommands: [
            CommandGroup(
                name: "Documents",
                subcommands: [
                    GetCommand.self, DescribeCommand.self, ApplyCommand.self, DiffCommand.self,
                    DeleteCommand.self, WaitCommand.self, LabelCommand.self, AnnotateCommand.self,
                    ExplainCommand.self,
                ]),
            CommandGroup(
                name: "Fleet",
                subcommands: [
                    ClusterCommand.self, TopCommand.self, EventsCommand.self, WhyCommand.self,
                    LogsCommand.self, VMGroup.self, VMGroupsGroup.self, HostGroup.self, AllocationGroup.self,
                    PolicyGroup.self, OversubGroup.self, PlanGroup.self,
                    OperationGroup.self, OperatorGroup.self, FaultGroup.self, TelemetryCommand.self,
                ]),
            CommandGroup(
                name: "Traces",
                subcommands: [
                    SimulateGroup.self, PlanGroup.self, ReplayGroup.self, ModelGroup.self, TraceGroup.self,
                    DemoCommand.self, ProblemGroup.self,
                ]),
            CommandGroup(
                name: "Access",
                subcommands: [
                    LoginCommand.self, ContextGroup.self, TokenGroup.self, JoinTokenGroup.self,
                    AuditCommand.self,
                    CompletionCommand.self, CompleteCommand.self, VersionCommand.self,
                ]),
        ])
}
