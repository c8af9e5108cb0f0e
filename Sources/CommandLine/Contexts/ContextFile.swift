internal import Fleet
internal import APITypes
internal import Foundation

/// A control plane that the user knows, without its secret.
struct Context: Sendable, Equatable, Codable {
    var name: String
    /// Addresses separated by commas.
    var server: String
    /// File that holds the bearer token.
    var tokenFile: String?
    /// PEM file of trusted certificates.
    var ca: String?
    /// Project of commands that name none.
    var project: String?
}

/// `~/.config/basalt/config.yaml`: the contexts and which of them is current.
struct ContextFile: Sendable, Equatable {
    var path: String
    var current: String?
    /// Sorted by name.
    var contexts: [Context] = []

    /// `$BASALT_CONFIG`, or the file in the home folder.
    static func path(_ surroundings: Surroundings) throws -> String {
        if let path = surroundings.variable("BASALT_CONFIG") { return path }
        guard let home = surroundings.variable("HOME") else {
            throw CommandFailure("neither BASALT_CONFIG nor HOME says where the configuration is")
        }
        return home + "/.config/basalt/config.yaml"
    }

    /// An empty file when there is none.
    static func load(_ surroundings: Surroundings) throws -> ContextFile {
        var file = ContextFile(path: try path(surroundings))
        guard FileManager.default.fileExists(atPath: file.path) else { return file }
        let text = try DocumentFile.read(file.path)
        guard let value = try YAMLReader.documents(text, name: file.path).first?.value else { return file }
        guard let members = value.object else { throw CommandFailure("\(file.path) is not a mapping") }
        try refuseUnknown(members, ["current", "contexts"], file.path)
        file.current = members["current"]?.string
        for entry in members["contexts"]?.array ?? [] {
            file.contexts.append(try context(entry, file.path))
        }
        file.contexts.sort { $0.name < $1.name }
        return file
    }

    private static func context(_ value: JSONValue, _ path: String) throws -> Context {
        guard let members = value.object, let name = members["name"]?.string,
            let server = members["server"]?.string
        else { throw CommandFailure("\(path): a context needs name and server") }
        try refuseUnknown(members, ["name", "server", "tokenFile", "ca", "project"], path)
        return Context(
            name: name, server: server, tokenFile: members["tokenFile"]?.string, ca: members["ca"]?.string,
            project: members["project"]?.string)
    }

    private static func refuseUnknown(_ members: [String: JSONValue], _ known: [String], _ path: String)
        throws
    {
        for key in members.keys.sorted() where !known.contains(key) {
            throw CommandFailure("\(path): " + NearestChoice.refusal("key", key, among: known))
        }
    }

    /// The named context, or the current one; nil when none is set.
    func context(named name: String?) throws -> Context? {
        guard let wanted = name ?? current else { return nil }
        guard let found = contexts.first(where: { $0.name == wanted }) else {
            throw CommandFailure(
                contexts.isEmpty
                    ? "no context \"\(wanted)\"; make one with basalt login"
                    : NearestChoice.refusal("context", wanted, among: contexts.map(\.name)))
        }
        return found
    }

    /// Adds or replaces by name and makes it current.
    mutating func set(_ context: Context) {
        put(context)
        current = context.name
    }

    /// Adds or replaces by name; the first one is current.
    mutating func put(_ context: Context) {
        contexts.removeAll { $0.name == context.name }
        contexts.append(context)
        contexts.sort { $0.name < $1.name }
        current = current ?? context.name
    }

    /// Takes one away; when it was the current one, none is.
    mutating func remove(_ name: String) {
        contexts.removeAll { $0.name == name }
        if current == name { current = nil }
    }

    /// Writes the file for its owner only, whole or not at all.
    func save() throws {
        var members: [String: JSONValue] = ["contexts": try Serialization.tree(contexts)]
        if let current { members["current"] = .string(current) }
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        let draft = path + ".new"
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let contents = Data(Serialization.yaml(.object(members)).utf8)
            guard
                FileManager.default.createFile(
                    atPath: draft, contents: contents, attributes: [.posixPermissions: 0o600])
            else { throw CommandFailure("\(draft) cannot be written") }
            guard rename(draft, path) == 0 else { throw CommandFailure("\(path) cannot be replaced") }
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure("\(folder.path) cannot be made: \(error.localizedDescription)")
        }
    }
}
