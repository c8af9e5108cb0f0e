internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet
internal import Foundation
internal import Replay

/// Which part of a fleet's own history is read.
struct HistoryOptions: ParsableArguments {
    @Option(help: "Fleet time that the history goes back, such as 7d.") var last = "7d"
    @Option(help: "Only VMs and hosts of this cell.") var cell: String?
    @Option(help: "Only VMs and hosts of this pool.") var pool: String?

    /// VMs that ended within `span` before now and those that run, with the hosts of today.
    func read(_ client: RESTClient, span: Duration) async throws -> FleetHistory {
        let now = try await client.cluster().fleetTime
        let selector = [cell.map { "cell=\($0)" }, pool.map { "pool=\($0)" }].compactMap { $0 }
        let vms = try await client.vmHistory(
            ListOptions(fieldSelector: selector.isEmpty ? nil : selector.joined(separator: ",")),
            endedSince: now.advanced(by: .zero - span)
        ).items
        guard !vms.isEmpty else {
            throw CommandFailure("no VM ran there in the last \(DurationText.short(span)) of fleet time")
        }
        return FleetHistory(vms: vms, hosts: try await hosts(client), now: now)
    }

    private func hosts(_ client: RESTClient) async throws -> [FleetHistory.Host] {
        let pools = try await client.listAll(Collection(.pool)).items
        let ratios = Dictionary(
            pools.map { ($0.metadata.name, $0.spec["cpuRatioPerMille"]?.integer ?? 1000) },
            uniquingKeysWith: { first, _ in first })
        return try await client.listAll(Collection(.host)).items.compactMap { host in
            let pool = host.spec["pool"]?.string ?? ""
            guard self.pool == nil || self.pool == pool,
                cell == nil || cell == host.spec["cell"]?.string,
                let usable = Self.usable(host.status?["inventory"], ratio: ratios[pool] ?? 1000)
            else { return nil }
            return FleetHistory.Host(name: host.metadata.name, usable: usable)
        }
    }

    /// Nil for a host whose inventory nobody reported.
    private static func usable(_ inventory: JSONValue?, ratio: Int) -> Resources? {
        guard let milliCPU = inventory?["capacity"]?["milliCPU"]?.integer,
            let memoryMiB = inventory?["capacity"]?["memoryMiB"]?.integer
        else { return nil }
        let reserved = inventory?["reserved"]
        return Resources(
            milliCPU: (milliCPU - (reserved?["milliCPU"]?.integer ?? 0)) * ratio / 1000,
            memoryMiB: memoryMiB - (reserved?["memoryMiB"]?.integer ?? 0))
    }
}

struct TraceExportCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Writes the fleet's own VMs as a trace that simulations and model train read.",
        discussion: """
            Beside size and times, rows have project, class, pool, name and a column per key of the VMs' labels. VMs \
            that run have 1 in the column censored.
            """)

    @Option(help: "File of the trace.", completion: .file()) var out: String
    @OptionGroup var history: HistoryOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let span = try DurationText.parse(history.last)
        let found = try await connection.connected(surroundings) { client, _ in
            try await history.read(client, span: span)
        }
        try OutputFile.write(Data(found.text.utf8), to: out)
        let running = found.vms.count { $0.endedAt == nil }
        let table = Table(
            [
                .init("NAME"), .init("VMS", .always, .right), .init("CENSORED", .always, .right),
                .init("HOSTS", .always, .right),
            ],
            [
                [
                    Text(out), Text(String(found.vms.count)), Text(String(running)),
                    Text(String(found.hosts.count)),
                ]
            ])
        output.show(
            Presentation(
                [.table(table)], names: [out],
                value: .object([
                    "file": .string(out), "vms": .integer(found.vms.count), "censored": .integer(running),
                    "hosts": .integer(found.hosts.count), "origin": .string(found.origin.description),
                ])), surroundings)
        return .done
    }
}
