internal import ArgumentParser
internal import Client
internal import Foundation

struct LoginCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "login", abstract: "Remembers a control plane and makes it the current one.",
        discussion: "The token stays in its file; only the path is remembered.")

    @Option(help: "Controllers, separated by commas: https://a:7443,https://b:7443.") var server: String
    @Option(help: "File that holds the bearer token.", completion: .file()) var tokenFile: String
    @Option(help: "PEM file with the certificates to trust.", completion: .file()) var ca: String?
    @Option(help: "Name of the context.") var name = "default"
    @Option(name: .shortAndLong, help: "Project of commands that name none.") var project: String?

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let connection = Connection(
            server: server, tokenFile: Self.absolute(tokenFile), ca: ca.map(Self.absolute), project: project)
        let configuration = try connection.configuration()
        // A context that does not work is not remembered.
        _ = try await RESTClient.with(configuration, seams: surroundings.seams) { client in
            try await client.cluster()
        }
        var file = try ContextFile.load(surroundings)
        file.set(
            Context(
                name: name, server: server, tokenFile: connection.tokenFile, ca: connection.ca,
                project: project))
        try file.save()
        surroundings.console.write("context/\(name) is current\n")
        return .done
    }

    static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).path }
}
