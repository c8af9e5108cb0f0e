internal import Foundation
internal import Shim

/// Looks for processes by what they are, as nobody may remember their ids.
enum ProcessTable {
    /// In the environment of everything that an injection starts.
    static let markVariable = "BASALT_FAULT"
    /// Beside it: the state directory of the injector, as a machine may have several.
    static let ownerVariable = "BASALT_FAULT_OWNER"

    /// Processes with exactly this command line.
    static func running(_ command: [String]) -> [ProcessIdentity] {
        let wanted = command.map { Data($0.utf8) }
        return all { id in
            guard let line = FileManager.default.contents(atPath: "/proc/\(id)/cmdline") else { return false }
            // Each argument ends with a zero.
            return line.split(separator: 0, omittingEmptySubsequences: false).dropLast().elementsEqual(wanted)
        }
    }

    /// Processes in whose command line a text stands.
    static func mentioning(_ text: String) -> [ProcessIdentity] {
        let wanted = Data(text.utf8)
        return all { FileManager.default.contents(atPath: "/proc/\($0)/cmdline")?.range(of: wanted) != nil }
    }

    static func marked(_ mark: String) -> [ProcessIdentity] {
        let wanted = Data("\(markVariable)=\(mark)".utf8)
        return all { id in
            FileManager.default.contents(atPath: "/proc/\(id)/environ")?
                .split(separator: 0).contains { $0 == wanted } ?? false
        }
    }

    /// Marks of all that an injector started and that runs.
    static func marks(of owner: String) -> [String] {
        let (prefix, wanted) = ("\(markVariable)=", "\(ownerVariable)=\(owner)")
        var found: Set<String> = []
        for id in ids() where ProcessIdentity(of: id) != nil {
            let environment = FileManager.default.contents(atPath: "/proc/\(id)/environ") ?? Data()
            let entries = environment.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            guard entries.contains(wanted) else { continue }
            for entry in entries where entry.hasPrefix(prefix) {
                found.insert(String(entry.dropFirst(prefix.count)))
            }
        }
        return found.sorted()
    }

    /// Whether it stands still; nil when it is gone.
    static func isStopped(_ process: ProcessIdentity) -> Bool? {
        guard process.isAlive,
            let data = FileManager.default.contents(atPath: "/proc/\(process.processID)/stat")
        else { return nil }
        let text = String(decoding: data, as: UTF8.self)
        guard let end = text.lastIndex(of: ")") else { return nil }
        return text[end...].dropFirst(2).first == "T"
    }

    static func end(_ processes: [ProcessIdentity]) {
        for process in processes where process.isAlive {
            kill(process.processID, SIGKILL)
            // One that stands still dies as well, but only SIGCONT lets some debuggers go.
            kill(process.processID, SIGCONT)
        }
    }

    /// Returns when nothing with this command line runs any more.
    static func endAll(_ command: [String]) async throws {
        for _ in 0..<200 {
            let left = running(command)
            if left.isEmpty { return }
            end(left)
            try await Task.sleep(for: .milliseconds(25))
        }
        throw InjectionError("\(command.first ?? "") does not end")
    }

    private static func ids() -> [Int32] {
        // why `try?`: a process may end while it is looked at.
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }
            .sorted()
    }

    private static func all(_ isMeant: (Int32) -> Bool) -> [ProcessIdentity] {
        let own = getpid()
        return ids().compactMap { id in
            // Read before and after, so that a reused id is not taken for what it was.
            guard id != own, let identity = ProcessIdentity(of: id), isMeant(id), identity.isAlive else {
                return nil
            }
            return identity
        }
    }
}

/// Processes of this machine, for whoever runs a fleet on it.
public enum LocalProcesses {
    public static func isRunning(_ command: [String]) -> Bool { !ProcessTable.running(command).isEmpty }

    /// Ends every process in whose command line a path stands, until there is none.
    public static func end(mentioning path: String) {
        ProcessTable.end(ProcessTable.mentioning(path))
    }
}
