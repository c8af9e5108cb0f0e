internal import Fleet
internal import Foundation
internal import Shim

/// Finds and kills what a dead shim left behind.
///
/// The kernel kills the command with its shim. What the command had started may live on: it is found by its
/// control groups and by the variable that every process of a part inherits.
enum LeftoverProcesses {
    /// Names the part in the environment of all its processes.
    static let variable = "BASALT_ALLOCATION"

    /// Kills what is found.
    /// - Returns: whether nothing was, so that the part certainly does not run.
    static func kill(
        _ allocation: ID<Allocation>, record: ProcessRecord?, groups: [String], bootID: String
    ) -> Bool {
        var found = marked("\(variable)=\(allocation)")
        for group in groups { found.formUnion(members(of: group)) }
        // An id alone says nothing: it may be another process by now.
        if let record, record.bootID == bootID, record.command.isAlive {
            found.insert(record.command.processID)
        }
        for process in found { Foundation.kill(process, SIGKILL) }
        return found.isEmpty
    }

    private static func members(of group: String) -> [Int32] {
        guard let data = FileManager.default.contents(atPath: "\(group)/cgroup.procs") else { return [] }
        return String(decoding: data, as: UTF8.self).split(separator: "\n").compactMap { Int32($0) }
    }

    private static func marked(_ mark: String) -> Set<Int32> {
        let mark = Data(mark.utf8)
        // why `try?`: a process may end while it is looked at.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return Set(
            names.compactMap { Int32($0) }.filter { id in
                guard let environment = FileManager.default.contents(atPath: "/proc/\(id)/environ"),
                    environment.split(separator: 0).contains(where: { $0 == mark })
                else { return false }
                return ProcessIdentity(of: id) != nil
            })
    }
}
