internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet
internal import NodeAgent

struct OperatorGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operator", abstract: "For those who run the control plane.",
        subcommands: [OperatorCheckCommand.self])
}

struct OperatorCheckCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Checks the invariants of the ledger.",
        discussion: """
            Exits with 1 when one is violated. With --journal, what agents wrote down is judged too: parts \
            that ran twice at once, ran without an allocation or started after their release.
            """)

    @Option(help: "State directory of an agent with a simulated fleet; may be repeated.")
    var journal: [String] = []

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        // Read before the ledger is: what starts or ends in between is then known to the ledger.
        let journals = try journal.isEmpty ? nil : Self.read(journal, at: surroundings.now())
        let answer = try await connection.connected(surroundings) { client, _ in
            guard let journals else { return try await client.check() }
            return try await client.check(journals)
        }
        output.show(try Self.presentation(of: answer), surroundings)
        return answer.violations.isEmpty ? .done : .failed
    }

    /// What the journals of agents say, by their state directories.
    static func read(_ directories: [String], at now: Timestamp) throws -> CheckRequest {
        let clock = SystemAgentClock(bootID: SystemAgentClock.currentBootID() ?? "")
        do {
            let runs = try directories.flatMap { try RunJournal.runs(in: $0, clock: clock) }
            return CheckRequest(
                readAt: now,
                runs: runs.map {
                    JournalRun(
                        host: $0.host, allocation: $0.allocation, workload: $0.workload, part: $0.part,
                        from: $0.from, to: $0.to)
                })
        } catch let error as JournalError {
            throw CommandFailure("\(error.path): \(error.message)")
        }
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
