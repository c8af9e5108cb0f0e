internal import ArgumentParser
internal import Fleet

/// The control plane's daemon: API, controllers and, for development, a private Postgres.
@main
struct Basaltd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "basaltd",
        abstract: "The Basalt control plane: REST API and controllers over Postgres.",
        version: ProductVersion.current,
        subcommands: [Serve.self, Initialize.self, Migrate.self, Database.self, RestoreEpoch.self],
        defaultSubcommand: Serve.self)
}
