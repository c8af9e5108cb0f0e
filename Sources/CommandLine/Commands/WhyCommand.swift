internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet

struct WhyCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Says why a workload is where it is, or nowhere.")

    @Argument(help: "vm, vmgroup or trainingjob.") var kind: String
    @Argument var name: String
    @OptionGroup var projectOption: ProjectOption
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let asked = Kind(named: kind)
        guard let asked, Self.kinds.contains(asked) else {
            throw CommandFailure(
                NearestChoice.refusal("kind with a why", kind, among: Self.kinds.map(\.singular)))
        }
        try await connection.connected(surroundings) { client, connection in
            let project = try projectOption.name(connection)
            if asked == .trainingJob {
                let answer = try await client.why(trainingJob: name, project: project)
                return output.show(try Self.presentation(of: answer), surroundings)
            }
            let answer =
                asked == .vm
                ? try await client.why(vm: name, project: project)
                : try await client.why(vmGroup: name, project: project)
            output.show(try Self.presentation(of: answer), surroundings)
        }
        return .done
    }

    static let kinds = [Kind.vm, .vmGroup, .trainingJob]

    static func presentation(of answer: WhyResponse) throws -> Presentation {
        var fields = [
            Presentation.Field("Name", Text("\(answer.kind.singular)/\(answer.name)")),
            .init("State", Text(answer.state.rawValue, answer.state.tone)),
            .init("Reason", Text(answer.reason.rawValue)), .init("Message", Text(answer.message)),
        ]
        if let position = answer.queuePosition { fields.append(.init("Queue", Text("position \(position)"))) }
        if let estimate = answer.estimate { fields.append(.init("Estimate", Text(estimate.message))) }
        if let stays = answer.stays {
            fields.append(.init("Drain", Text("stays: \(stays.reason.rawValue), \(stays.message)", .warning)))
        }
        var blocks = [Presentation.Block.fields(fields)]
        if let explanation = answer.explanation {
            blocks += [.heading("Placement"), .lines(PlacementLines(explanation: explanation).lines)]
        }
        return Presentation(
            blocks, names: ["\(answer.kind.singular)/\(answer.name)"], value: try Serialization.tree(answer))
    }
}
