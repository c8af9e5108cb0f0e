internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet

struct OperatorGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operator", abstract: "For those who run the control plane.",
        subcommands: [OperatorCheckCommand.self])
}

struct OperatorCheckCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Checks the invariants of the ledger.",
        discussion: "Exits with 1 when one is violated.")

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let answer = try await connection.connected(surroundings) { client, _ in try await client.check() }
        output.show(try Self.presentation(of: answer), surroundings)
        return answer.violations.isEmpty ? .done : .failed
    }

    static func presentation(of answer: CheckResponse) throws -> Presentation {
        let counts = answer.counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        let verdict =
            answer.violations.isEmpty
            ? Text("no violation", .good) : Text("\(answer.violations.count) violations", .bad)
        var blocks: [Presentation.Block] = [
            .fields([
                .init("Verdict", verdict), .init("Checked", Text(optional: counts.joined(separator: ", "))),
                .init("At", Text(answer.checkedAt.description)),
            ])
        ]
        if !answer.violations.isEmpty {
            let columns = [
                Table.Column("NAME", minimum: 20), .init("INVARIANT", .always, .right),
                .init("MESSAGE", minimum: 20),
            ]
            let rows = answer.violations.map {
                [Text($0.subject), Text(String($0.invariant), .bad), Text($0.message)]
            }
            blocks += [.heading("Violations"), .table(Table(columns, rows))]
        }
        return Presentation(
            blocks, names: answer.violations.map(\.subject), value: try Serialization.tree(answer))
    }
}
