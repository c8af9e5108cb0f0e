internal import ArgumentParser
internal import Fleet
internal import Foundation
internal import Settings

/// `basaltd config`: the settings, without running anything.
struct ConfigGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Show and check the settings.",
        subcommands: [ConfigCheck.self, ConfigPrintDefault.self])
}

/// `basaltd config check`: exits with 1 and a line for each defect when the settings cannot be used.
struct ConfigCheck: DaemonCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Show every setting in force and who set it, or what is wrong.",
        discussion: "Example: basaltd config check /etc/basalt/basaltd.yaml")

    @Argument(help: "The file to check; that of --config, or the standard one when absent.") var file: String?

    func run(_ flags: SettingFlags<DaemonSetting>) async throws {
        var flags = flags
        flags.file = file ?? flags.file
        let settings = try settings(flags)
        try StandardOutput.write(settings.yaml)
    }
}

/// `basaltd config print-default`: a documented file to begin with.
struct ConfigPrintDefault: DaemonCommand {
    static let configuration = CommandConfiguration(
        commandName: "print-default", abstract: "Print a documented file with the defaults.",
        discussion: "Example: basaltd config print-default > /etc/basalt/basaltd.yaml")

    func run(_ flags: SettingFlags<DaemonSetting>) async throws {
        try StandardOutput.write(DaemonSetting.documentedFile)
    }
}

/// `basaltd version`.
struct Version: DaemonCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the version and how the program was built.")

    func run(_ flags: SettingFlags<DaemonSetting>) async throws {
        try StandardOutput.write("basaltd \(ProductVersion.description)\n")
    }
}

enum StandardOutput {
    static func write(_ text: String) throws {
        try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
    }
}
