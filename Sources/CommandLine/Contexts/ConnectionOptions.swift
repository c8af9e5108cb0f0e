internal import ArgumentParser
internal import Client
internal import Fleet
internal import Foundation

/// Which control plane to talk to. A flag beats the environment, which beats the context.
struct ConnectionOptions: ParsableArguments {
    @Option(help: "Controllers, separated by commas: https://a:7443,https://b:7443 ($BASALT_SERVER).")
    var server: String?

    @Option(
        help: "File that holds the bearer token ($BASALT_TOKEN_FILE).", completion: .file())
    var tokenFile: String?

    @Option(help: "PEM file with the certificates to trust ($BASALT_CA).", completion: .file())
    var ca: String?

    @Option(help: "Context of the configuration file to use ($BASALT_CONTEXT).")
    var context: String?

    /// Flags, environment and context put together.
    func resolved(_ surroundings: Surroundings) throws -> Connection {
        let file = try ContextFile.load(surroundings)
        let named = context ?? surroundings.variable("BASALT_CONTEXT")
        // A server that is named is a place of its own: no token of a context is sent there, unless both are
        // named on the command line.
        let explicit = server ?? (context == nil ? surroundings.variable("BASALT_SERVER") : nil)
        let chosen = explicit == nil || context != nil ? try file.context(named: named) : nil
        guard let server = explicit ?? chosen?.server else {
            throw CommandFailure("no server is known; use basalt login, --server or BASALT_SERVER")
        }
        return Connection(
            server: server,
            tokenFile: tokenFile ?? surroundings.variable("BASALT_TOKEN_FILE") ?? chosen?.tokenFile,
            ca: ca ?? surroundings.variable("BASALT_CA") ?? chosen?.ca,
            project: surroundings.variable("BASALT_PROJECT") ?? chosen?.project)
    }
}

/// A control plane and how to reach it.
struct Connection: Sendable, Equatable {
    var server: String
    var tokenFile: String?
    var ca: String?
    /// Project of commands that name none.
    var project: String?

    func configuration(
        retry: RetryPolicy = .interactive, limits: ClientLimits = .standard
    ) throws -> ClientConfiguration {
        ClientConfiguration(
            servers: try ServerAddress.list(server), token: try tokenFile.map(Self.token),
            certificateFile: ca, retry: retry, limits: limits)
    }

    /// The first line of the file.
    private static func token(_ path: String) throws -> String {
        let text = try DocumentFile.read(path).trimmingCharacters(in: .whitespacesAndNewlines)
        guard !text.isEmpty, !text.contains(where: \.isWhitespace) else {
            throw CommandFailure("\(path) does not hold one token")
        }
        return text
    }
}

extension ConnectionOptions {
    /// Runs `body` with a client for the control plane that these options name.
    func connected<Result>(
        _ surroundings: Surroundings, retry: RetryPolicy = .interactive, limits: ClientLimits = .standard,
        _ body: (RESTClient, Connection) async throws -> Result
    ) async throws -> Result {
        let connection = try resolved(surroundings)
        let configuration = try connection.configuration(retry: retry, limits: limits)
        return try await RESTClient.with(configuration, seams: surroundings.seams) { client in
            try await body(client, connection)
        }
    }

    /// Shows every document of a collection as a table of its kind.
    func showAll(
        _ collection: Collection, _ kind: Kind, _ output: OutputOptions, _ surroundings: Surroundings
    ) async throws -> ExitStatus {
        let listing = try await connected(surroundings) { client, _ in try await client.listAll(collection) }
        let table = DocumentTable(kind: kind, now: surroundings.now())
        output.show(
            table.presentation(of: listing.items, resourceVersion: listing.resourceVersion), surroundings)
        return .done
    }
}
