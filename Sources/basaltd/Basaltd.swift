internal import ArgumentParser
internal import Fleet
internal import ProgramShell
internal import Settings

/// The control plane's daemon: API, controllers and, for development, a private Postgres.
struct Basaltd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "basaltd",
        abstract: "The Basalt control plane: REST API and controllers over Postgres.",
        discussion: DaemonSetting.usage,
        version: ProductVersion.current,
        subcommands: [
            Serve.self, Initialize.self, Migrate.self, Database.self, RestoreEpoch.self,
            ConfigGroup<DaemonSetting>.self,
            Version.self,
        ],
        defaultSubcommand: Serve.self)
}

@main
enum Program {
    static func main() async { await SettledProgram<DaemonSetting>.main(Basaltd.self) }
}

/// `basaltd version`.
struct Version: SettledCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the version and how the program was built.")

    func run(_ flags: SettingFlags<DaemonSetting>) async throws {
        try StandardOutput.write("basaltd \(ProductVersion.description)\n")
    }
}
