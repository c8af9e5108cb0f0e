internal import ArgumentParser
internal import Foundation
internal import Settings

/// A subcommand; it is given the settings in force.
protocol RouterCommand: ParsableCommand {
    func run(_ settings: EffectiveSettings<RouterSetting>) async throws
}

@main
enum Program {
    static func main() async {
        do {
            let flags = try SettingFlags<RouterSetting>(Array(CommandLine.arguments.dropFirst()))
            var parsed = try BasaltRouter.parseAsRoot(flags.rest)
            if let command = parsed as? any RouterCommand {
                var flags = flags
                if let check = command as? ConfigCheck { flags.file = check.file ?? flags.file }
                let environment = ProcessInfo.processInfo.environment
                try await command.run(try EffectiveSettings.load(flags, environment: environment))
            } else {
                try parsed.run()
            }
        } catch let error as SettingsError {
            let lines = error.lines.map { "basalt-router: \($0)\n" }.joined()
            try? FileHandle.standardError.write(contentsOf: Data(lines.utf8))  // why: nobody is left to tell
            exit(1)
        } catch {
            BasaltRouter.exit(withError: error)
        }
    }
}

/// `basalt-router config`: the settings, without running anything.
struct ConfigGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Show and check the settings.",
        subcommands: [ConfigCheck.self, ConfigPrintDefault.self])
}

/// `basalt-router config check`: exits with 1 and a line for each defect when the settings cannot be used.
struct ConfigCheck: RouterCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Show every setting in force and who set it, or what is wrong.",
        discussion: "Example: basalt-router config check /etc/basalt/basalt-router.yaml")

    @Argument(help: "The file to check; that of --config, or the standard one when absent.") var file: String?

    func run(_ settings: EffectiveSettings<RouterSetting>) async throws {
        try FileHandle.standardOutput.write(contentsOf: Data(settings.yaml.utf8))
    }
}

/// `basalt-router config print-default`: a documented file to begin with.
struct ConfigPrintDefault: RouterCommand {
    static let configuration = CommandConfiguration(
        commandName: "print-default", abstract: "Print a documented file with the defaults.",
        discussion: "Example: basalt-router config print-default > /etc/basalt/basalt-router.yaml")

    func run(_ settings: EffectiveSettings<RouterSetting>) async throws {
        try FileHandle.standardOutput.write(contentsOf: Data(RouterSetting.documentedFile.utf8))
    }
}
