import Foundation

/// A running postmaster, known by its process id and start time, so that a reused id is not mistaken.
struct PostmasterProcess: Sendable, Hashable {
    let processID: Int32
    private let startTicks: String

    /// The live postmaster of a data directory: the process in its lock file, if it works in that directory,
    /// as a postmaster does.
    static func find(dataDirectory: String) -> PostmasterProcess? {
        guard let processID = lockedProcessID(dataDirectory), let ticks = startTicks(of: processID) else {
            return nil
        }
        let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(processID)/cwd")
        // Where the link cannot be read the process is another user's, and not one this caller manages.
        guard let link, resolved(link) == resolved(dataDirectory) else { return nil }
        return PostmasterProcess(processID: processID, startTicks: ticks)
    }

    /// The process id in a data directory's lock file, whether it lives or not.
    static func lockedProcessID(_ dataDirectory: String) -> Int32? {
        // An unreadable lock file is the same as none: starting the server then reports why.
        let text = try? String(contentsOfFile: dataDirectory + "/postmaster.pid", encoding: .utf8)
        return text?.split(separator: "\n").first.flatMap { Int32($0) }
    }

    var isAlive: Bool { Self.startTicks(of: processID) == startTicks }

    /// The start time of a live process in clock ticks since boot; nil for none and for zombies.
    static func startTicks(of processID: Int32) -> String? {
        // The file vanishes with the process.
        guard let text = try? String(contentsOfFile: "/proc/\(processID)/stat", encoding: .utf8),
            let nameEnd = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[text.index(after: nameEnd)...].split(separator: " ")
        guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
        return String(fields[19])
    }

    private static func resolved(_ path: String) -> String {
        URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    }
}
