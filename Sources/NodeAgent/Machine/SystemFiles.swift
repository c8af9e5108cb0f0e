internal import Foundation

/// `/proc` and `/sys`, or a tree that stands for them.
struct SystemFiles: Sendable {
    /// Directory that holds `proc` and `sys`; empty for the machine's own.
    let root: String

    func text(_ path: String) -> String? {
        FileManager.default.contents(atPath: "\(root)/\(path)").map { String(decoding: $0, as: UTF8.self) }
    }

    func line(_ path: String) -> String? {
        text(path)?.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func number(_ path: String) -> Int? { line(path).flatMap { Int($0) } }

    func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: "\(root)/\(path)") }

    /// Last component of what a link points to.
    func target(_ path: String) -> String? {
        // why `try?`: what is no link has no target.
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(root)/\(path)"))
            .flatMap { $0.split(separator: "/").last.map(String.init) }
    }

    /// Names in a directory, sorted; none when it does not exist, as without a driver or NUMA.
    func entries(_ path: String) throws -> [String] {
        guard exists(path) else { return [] }
        do {
            let found = try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(path)")
            return Array(found.sorted().prefix(MachineInventory.Limit.entries))
        } catch {
            throw MachineInventoryError(path: path, message: "\(error)")
        }
    }

    /// Value of the first `name : value` line.
    static func field(_ name: String, in text: String) -> String? {
        for line in text.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":"),
                line[..<colon].trimmingCharacters(in: .whitespaces) == name
            else { continue }
            return line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        return nil
    }
}
