public import ArgumentParser
public import Settings

/// `PROGRAM config`: the settings, without running anything.
public struct ConfigGroup<Key: SettingKey>: ParsableCommand {
    public static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "config", abstract: "Show and check the settings.",
            subcommands: [ConfigCheck<Key>.self, ConfigPrintDefault<Key>.self])
    }

    public init() {}
}

/// `PROGRAM config check`: exits with 1 and a line for each defect when the settings cannot be used.
struct ConfigCheck<Key: SettingKey>: SettledCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "check", abstract: "Show every setting in force and who set it, or what is wrong.",
            discussion: "Example: \(Key.program) config check \(Key.standardFile)")
    }

    @Argument(help: "The file to check; that of --config, or the standard one when absent.") var file: String?

    func run(_ flags: SettingFlags<Key>) async throws {
        var flags = flags
        flags.file = file ?? flags.file
        try StandardOutput.write(try settings(flags).yaml)
    }
}

/// `PROGRAM config print-default`: a documented file to begin with.
struct ConfigPrintDefault<Key: SettingKey>: SettledCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "print-default", abstract: "Print a documented file with the defaults.",
            discussion: "Example: \(Key.program) config print-default > \(Key.standardFile)")
    }

    func run(_ flags: SettingFlags<Key>) async throws {
        try StandardOutput.write(Key.documentedFile)
    }
}
