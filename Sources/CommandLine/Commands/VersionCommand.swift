internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet

struct VersionCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Shows the version of this program and of the control plane.")

    @Flag(help: "Do not ask the control plane.") var client = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        var fields = [Presentation.Field("Client", Text(ProductVersion.description))]
        var members: [String: JSONValue] = [
            "client": .string(ProductVersion.current), "build": .string(ProductVersion.build),
        ]
        if !client {
            let server = try await connection.connected(surroundings) { client, _ in
                try await client.version()
            }
            fields += [
                .init("Server", Text(server.version)), .init("API", Text(server.api)),
                .init("Schema", Text(String(server.schema))),
            ]
            members["server"] = try Serialization.tree(server)
        }
        let presentation = Presentation(
            [.fields(fields)], names: [ProductVersion.current], value: .object(members))
        output.show(presentation, surroundings)
        return .done
    }
}
