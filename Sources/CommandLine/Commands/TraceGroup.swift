internal import APITypes
internal import ArgumentParser
internal import Fleet
internal import Foundation
internal import Replay

struct TraceGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace", abstract: "Prepares traces.",
        subcommands: [TraceImportCommand.self, TraceExportCommand.self])
}

struct TraceImportCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Turns a published trace into one that simulations read.",
        discussion: """
            Formats: azure-packing-2020 (its SQLite file, or a CSV of it joined with vmType), azure-v1 and azure-v2 \
            (vmtable.csv), huawei (vmid, cpu, memory, time, type), openb (pods of Alibaba's GPU trace of 2023), dlrm \
            (instances of that of 2025). VMs that were still there at the end have 1 in the column censored.
            """)

    @Option(
        help: "azure-packing-2020, azure-v1, azure-v2, huawei, openb or dlrm.",
        completion: .list(TraceFormat.allCases.map(\.rawValue)))
    var format: String
    @Option(name: .customLong("in"), help: "The published file; - is standard input.", completion: .file())
    var input: String
    @Option(help: "File of the native trace.", completion: .file()) var out: String
    @Option(help: "vCPUs and GiB of the machine that shares are of (azure-packing-2020).")
    var hostShape = "64x192"
    @Option(
        help: """
            Machine whose shares are taken, by its machineId (azure-packing-2020); without it the one that most \
            types of VM can run on.
            """)
    var machine: Int?
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let outcome = try CommandFailure.explaining {
            let known = TraceFormat.allCases.map(\.rawValue)
            guard let format = TraceFormat(rawValue: format) else {
                throw OptionError(
                    field: "format", value: format, expected: known.joined(separator: " or "),
                    nearest: NearestChoice.of(format, among: known) ?? TraceFormat.azureV2.rawValue)
            }
            let importer = TraceImporter(
                format: format, machine: try HostShape(parsing: hostShape), machineID: machine)
            if input != "-" { try DocumentFile.requireFile(input) }
            return try importer.read(TraceSource(argument: input))
        }
        try OutputFile.write(Data(outcome.text.utf8), to: out)
        let table = Table(
            [
                .init("NAME"), .init("VMS", .always, .right), .init("CENSORED", .always, .right),
                .init("LEFT-OUT", .always, .right),
            ],
            [
                [
                    Text(out), Text(String(outcome.vms)), Text(String(outcome.censored)),
                    Text(String(outcome.leftOut), outcome.leftOut > 0 ? .warning : .plain),
                ]
            ])
        output.show(
            Presentation(
                [.table(table)], names: [out],
                value: .object([
                    "file": .string(out), "vms": .integer(outcome.vms),
                    "censored": .integer(outcome.censored), "leftOut": .integer(outcome.leftOut),
                ])), surroundings)
        return .done
    }
}
