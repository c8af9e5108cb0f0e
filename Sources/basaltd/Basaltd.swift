internal import ArgumentParser
internal import Fleet
internal import Foundation
internal import Settings

/// The control plane's daemon: API, controllers and, for development, a private Postgres.
struct Basaltd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "basaltd",
        abstract: "The Basalt control plane: REST API and controllers over Postgres.",
        discussion: DaemonSetting.usage,
        version: ProductVersion.current,
        subcommands: [
            Serve.self, Initialize.self, Migrate.self, Database.self, RestoreEpoch.self, ConfigGroup.self,
            Version.self,
        ],
        defaultSubcommand: Serve.self)
}

/// A subcommand; it is given the settings that stood among the arguments.
protocol DaemonCommand: ParsableCommand {
    func run(_ flags: SettingFlags<DaemonSetting>) async throws
}

extension DaemonCommand {
    /// The settings in force.
    func settings(
        _ flags: SettingFlags<DaemonSetting>, fallbacks: [DaemonSetting: String] = [:]
    ) throws -> EffectiveSettings<DaemonSetting> {
        try EffectiveSettings.load(
            flags, environment: ProcessInfo.processInfo.environment, fallbacks: fallbacks)
    }
}

@main
enum Program {
    static func main() async {
        do {
            let flags = try SettingFlags<DaemonSetting>(Array(CommandLine.arguments.dropFirst()))
            try refuseUnknown(flags.rest)
            var parsed = try Basaltd.parseAsRoot(flags.rest)
            if let command = parsed as? any DaemonCommand {
                try await command.run(flags)
            } else {
                try parsed.run()
            }
        } catch let error as SettingsError {
            // Many defects, one line each.
            let lines = error.lines.map { "basaltd: \($0)\n" }.joined()
            try? FileHandle.standardError.write(contentsOf: Data(lines.utf8))  // why: nobody is left to tell
            exit(1)
        } catch {
            Basaltd.exit(withError: error)
        }
    }

    /// A misspelt setting gets the nearest one; what it looks like to the parser does not matter then.
    private static func refuseUnknown(_ rest: [String]) throws {
        do {
            _ = try Basaltd.parseAsRoot(rest)
        } catch  where Basaltd.message(for: error).hasPrefix("Unknown option") {
            let given = rest.filter { $0.hasPrefix("--") }.map { String($0.prefix { $0 != "=" }) }
            for flag in given where Basaltd.message(for: error).contains("'\(flag)'") {
                if let nearest = SettingFlags<DaemonSetting>.nearest(to: flag) {
                    throw SettingsError("\(flag) is not a flag; did you mean \(nearest)?")
                }
            }
        } catch {
            // Said by the caller's own attempt.
        }
    }
}
