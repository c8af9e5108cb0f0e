internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet
internal import Foundation

struct TokenGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Makes and revokes bearer tokens.",
        subcommands: [TokenCreateCommand.self, TokenListCommand.self, TokenRevokeCommand.self])
}

struct TokenCreateCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Makes a bearer token; its secret is shown once.")

    @Argument var name: String
    @Option(help: "admin, operator or viewer.") var role = Role.viewer.rawValue
    @Option(help: "Lifetime, such as 12h; without it the token does not expire.") var ttl: String?
    @Option(
        name: [.customLong("project"), .customShort("p")],
        help: "Bind it to a project, whose objects it sees and no others; may be given several times.")
    var projects: [String] = []
    @Option(help: "Write the secret to this file, readable by its owner only, instead of showing it.")
    var secretFile: String?
    @Flag(help: "Only show what would be made.") var dryRun = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let roles = [Role.admin, .operator, .viewer]
        guard let role = roles.first(where: { $0.rawValue == role }) else {
            throw CommandFailure(NearestChoice.refusal("role", role, among: roles.map(\.rawValue)))
        }
        let seconds = try ttl.map { Int(try DurationText.parse($0).components.seconds) }
        let request = TokenRequest(
            name: name, role: role, ttlSeconds: seconds, projects: projects.isEmpty ? nil : projects)
        let answer = try await connection.connected(surroundings) { client, _ in
            dryRun
                ? try Serialization.tree(try await client.dryRunCreateToken(request))
                : try Serialization.tree(try await client.createToken(request))
        }
        try SecretPresentation(
            answer: answer, name: "token/\(name)", file: dryRun ? nil : secretFile
        )
        .show(output, surroundings)
        return .done
    }
}

struct TokenListCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Shows the bearer tokens, without their secrets.")

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let tokens = try await connection.connected(surroundings) { client, _ in try await client.tokens() }
        output.show(try RecordTables(now: surroundings.now()).tokens(tokens.items), surroundings)
        return .done
    }
}

struct TokenRevokeCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Takes bearer tokens back; they open nothing any more.",
        discussion: "A controller that has just seen a token believes it for five more seconds.")

    @Argument var names: [String]
    @Flag(help: "Only show what would happen.") var dryRun = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let revoked = try await connection.connected(surroundings) { client, _ in
            var revoked: [String] = []
            for name in names {
                do {
                    try await client.revokeToken(name, dryRun: dryRun)
                } catch let error as ClientError {
                    throw CommandFailure(error, about: "token/\(name)")
                }
                revoked.append(name)
            }
            return revoked
        }
        let word = dryRun ? "revoked (dry run)" : "revoked"
        let items = revoked.map {
            JSONValue.object(["name": .string("token/\($0)"), "outcome": .string(word)])
        }
        output.show(
            Presentation(
                [.lines(revoked.map { "token/\($0) \(word)" })], names: revoked.map { "token/\($0)" },
                value: .object(["items": .array(items)])), surroundings)
        return .done
    }
}

/// An answer with a secret that is told once.
struct SecretPresentation {
    let answer: JSONValue
    let name: String
    let file: String?

    func show(_ output: OutputOptions, _ surroundings: Surroundings) throws {
        var answer = answer
        if let file {
            guard case .object(var members) = answer, let secret = members["secret"]?.string
            else { throw CommandFailure("the server's answer holds no secret") }
            guard
                FileManager.default.createFile(
                    atPath: file, contents: Data((secret + "\n").utf8), attributes: [.posixPermissions: 0o600]
                )
            else { throw CommandFailure("\(file) cannot be written") }
            members["secret"] = .string("in \(file)")
            answer = .object(members)
        }
        let presentation = Presentation(
            [.fields(DocumentDescription.flattened(answer))], names: [name], value: answer)
        output.show(presentation, surroundings)
    }
}
