internal import ArgumentParser
internal import Client
internal import Fleet

struct WaitCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait", abstract: "Returns when a document is as wanted.",
        discussion: "Exits with 3 when the time runs out first.")

    @Argument(help: "cell, pool, host, flavor, project, vm or vmgroup.") var kind: String
    @Argument var name: String
    @Option(
        name: .customLong("for"),
        help:
            "state=Running, deleted, condition=Ready, condition=Ready=False or jsonpath=.status.host=host-1.")
    var wanted: String
    @Option(help: "Longest wait, such as 30s or 5m.") var timeout = "30s"
    @OptionGroup var projectOption: ProjectOption
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let kind = try Kind.document(kind)
        let condition = try AwaitedCondition.parse(wanted, kind: kind)
        let timeout = try DurationText.parse(timeout)
        try await connection.connected(surroundings) { client, connection in
            let collection = try projectOption.collection(of: kind, connection)
            let waiter = ConditionWaiter(client: client, collection: collection, name: name)
            try await waiter.wait(for: condition, timeout: timeout, surroundings)
        }
        surroundings.console.write("\(kind.singular)/\(Printable.clean(name)) \(wanted)\n")
        return .done
    }
}
