internal import ArgumentParser
internal import Fleet
internal import Foundation
internal import NodeAgent
internal import ProgramShell
internal import Settings
internal import Yams

/// Shows what the agent would report of this machine; changes nothing.
struct InventoryCommand: SettledCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable { case table, json, yaml }

    static let configuration = CommandConfiguration(
        commandName: "inventory", abstract: "Show what this machine is, as the agent reports it.")

    @Option(name: .shortAndLong, help: ArgumentHelp(valueName: "table|json|yaml")) var output = Format.table
    @Option(help: ArgumentHelp("NVIDIA's management library.", valueName: "file")) var nvmlLibrary: String?
    @Option(help: ArgumentHelp("Directory that holds proc and sys.", valueName: "dir", visibility: .hidden))
    var root = ""

    func run(_ flags: SettingFlags<AgentSetting>) async throws {
        let settings = try settings(flags)
        let hosts = try MachineInventory(root: root, name: settings.text(.name), nvmlLibrary: nvmlLibrary)
            .hosts()
        for host in hosts {
            FileHandle.standardOutput.write(Data(try text(of: host).utf8))
        }
    }

    private func text(of host: InventoriedHost) throws -> String {
        switch output {
        case .table: return InventoryTable(host: host).text
        case .json:
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
            return String(decoding: try encoder.encode(host.inventory), as: UTF8.self) + "\n"
        case .yaml:
            let encoder = YAMLEncoder()
            encoder.options.sortKeys = true
            return try encoder.encode(host.inventory)
        }
    }
}
