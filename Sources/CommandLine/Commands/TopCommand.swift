internal import ArgumentParser
internal import Client
internal import Fleet

struct TopCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "top", abstract: "Shows how full cells and hosts are, or which VMs hold most.",
        discussion: "Amounts are what is allocated, fullest first; what is used inside of VMs is not known.")

    enum Subject: String, CaseIterable { case cells, hosts, vms }

    @Argument(help: "cells, hosts or vms.", completion: .list(Subject.allCases.map(\.rawValue)))
    var subject = Subject.cells.rawValue
    @Option(name: .shortAndLong, help: "VMs of one project only.") var project: String?
    @Option(help: "How many hosts or VMs to show; 0 shows all.") var limit = 20
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        if limit < 0 { throw ValidationError("--limit must be 0 or above") }
    }

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let chosen = Subject.allCases.first { Kind(named: $0.rawValue) == Kind(named: subject) }
        guard let chosen else {
            let choices = Subject.allCases.map(\.rawValue)
            throw CommandFailure(NearestChoice.refusal("subject", subject, among: choices))
        }
        try await connection.connected(surroundings) { client, _ in
            guard chosen != .cells else {
                return output.show(try ClusterTables(summary: try await client.cluster()).top, surroundings)
            }
            let hosts = try await client.listAll(Collection(.host)).items
            let allocations = try await client.allocations().items
            let tables = TopTables(
                hosts: hosts, allocations: allocations, limit: limit == 0 ? nil : limit,
                now: surroundings.now())
            output.show(
                chosen == .hosts ? try tables.hostTable : try tables.vmTable(project: project), surroundings)
        }
        return .done
    }
}
