internal import Fleet
internal import Foundation

/// Where a process substrate keeps what.
struct ProcessLayout: Sendable {
    let root: String

    var parts: String { root + "/parts" }
    var images: String { root + "/images" }
    var fence: String { root + "/fence" }
    var hints: String { root + "/hints.sock" }
    /// What ended and was forgotten, and what was adopted; its lock is the substrate's.
    var archive: String { RunJournal.path(in: root) }

    /// As seen from the directory of a part, where a shim works: the paths of sockets are short.
    static let fenceFromPart = "../../fence"
    static let hintsFromPart = "../../hints.sock"

    func part(_ allocation: ID<Allocation>) -> String { "\(parts)/\(allocation)" }

    func makeDirectories() throws {
        for directory in [parts, images] {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        }
    }

    /// Directories of parts; what a crash left half made or half removed is cleaned up.
    func partDirectories() throws -> [(allocation: ID<Allocation>, path: String)] {
        var found: [(ID<Allocation>, String)] = []
        for name in try FileManager.default.contentsOfDirectory(atPath: parts).sorted() {
            if name.hasPrefix(".") {
                try FileManager.default.removeItem(atPath: "\(parts)/\(name)")
            } else if let allocation = ID<Allocation>(name) {
                found.append((allocation, "\(parts)/\(name)"))
            }
        }
        return found
    }
}
