internal import Foundation
internal import Logging

/// Guards by name in a file, kept over a restart of the agent.
///
/// What cannot be read or written is told and nothing more: a guard begins anew and sees within seconds what
/// there is to see.
struct GuardFile<Guard: Codable> {
    var path: String
    /// What they guard, for the log.
    var what: String
    var logger: Logger

    /// Empty where nothing was kept.
    func read() -> [String: Guard] {
        guard let data = FileManager.default.contents(atPath: path) else { return [:] }
        do {
            return try JSONDecoder().decode([String: Guard].self, from: data)
        } catch {
            logger.warning(
                "what guards kept cannot be read", metadata: ["guards": "\(what)", "error": "\(error)"])
            return [:]
        }
    }

    func write(_ guards: [String: Guard]) {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            try DurableFile.replace(path: path, with: Array(try encoder.encode(guards)))
        } catch {
            logger.error("guards are not kept", metadata: ["guards": "\(what)", "error": "\(error)"])
        }
    }
}
