import Foundation

/// What the kernel counted for a process.
struct ProcessUsage {
    /// `USER_HZ`, the unit of times in `/proc`, which Linux fixes at 100 for user space.
    private static let ticksPerSecond = 100.0

    let processID: Int32

    /// CPU seconds of the process, and of its children.
    ///
    /// - Parameter children: count those too that run or have ended: a Postgres server is a tree of
    /// processes.
    func seconds(children: Bool = false) throws -> Double {
        let fields = try Self.fields(processID)
        guard children else { return Double(fields[0] + fields[1]) / Self.ticksPerSecond }
        var ticks = fields[0] + fields[1] + fields[2] + fields[3]
        let list = "/proc/\(processID)/task/\(processID)/children"
        for child in try String(contentsOfFile: list, encoding: .utf8).split(separator: " ") {
            // One that has just ended is counted by its parent from then on.
            guard let child = Int32(child), let fields = try? Self.fields(child) else { continue }
            ticks += fields[0] + fields[1]
        }
        return Double(ticks) / Self.ticksPerSecond
    }

    /// Resident memory, MiB.
    var residentMiB: Int {
        get throws {
            let text = try String(contentsOfFile: "/proc/\(processID)/status", encoding: .utf8)
            let line = text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
            guard let word = line?.split(whereSeparator: \.isWhitespace).dropFirst().first,
                let kib = Int(word)
            else { throw BenchmarkError("process \(processID) tells no resident memory") }
            return kib / 1024
        }
    }

    static var own: ProcessUsage { ProcessUsage(processID: ProcessInfo.processInfo.processIdentifier) }

    /// utime, stime, cutime and cstime, in ticks.
    private static func fields(_ processID: Int32) throws -> [Int] {
        let text = try String(contentsOfFile: "/proc/\(processID)/stat", encoding: .utf8)
        // The name, in parentheses, may hold spaces; what follows it begins with the third field.
        let rest = text.split(separator: ")").last?.split(separator: " ") ?? []
        guard rest.count > 14 else { throw BenchmarkError("process \(processID) tells no times") }
        return rest[11...14].map { Int($0) ?? 0 }
    }
}
