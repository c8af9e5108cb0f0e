public import AgentProtocol
internal import Foundation

/// The session's own credential on disk, readable by the agent's user only.
public struct CredentialFile: Sendable {
    public let path: String

    public init(path: String) { self.path = path }

    /// The credential of an earlier join; nil when the file does not exist.
    /// - Throws: `JournalError` with code `unreadable` or `system`.
    public func load() throws -> JoinResponse? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw JournalError(code: .system, path: path, message: "the credential cannot be read")
        }
        do {
            return try JSONDecoder().decode(JoinResponse.self, from: data)
        } catch {
            // Without the error's text, which may quote the secret.
            throw JournalError(code: .unreadable, path: path, message: "this is no credential")
        }
    }

    /// Puts the credential there at once or not at all; returns when it survives a power loss. A join token
    /// is used up by then, so a lost credential needs a new one.
    /// - Throws: `JournalError`.
    public func store(_ credential: JoinResponse) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        try DurableFile.replace(path: path, with: [UInt8](try encoder.encode(credential)))
    }
}
