import Fleet
import Foundation

/// The deadlines on disk, with the clocks they were written by.
struct FenceRecord: Sendable, Codable {
    var bootID: String
    var now: MonotonicTime
    var wall: Timestamp
    var deadlines: FenceDeadlines

    static func path(in directory: String) -> String { directory + "/fence.json" }

    /// The record of a substrate; nil when it keeps none yet.
    /// - Throws: `JournalError`.
    static func read(in directory: String, on disk: MemoryDisk? = nil) throws -> FenceRecord? {
        let path = path(in: directory)
        if let disk { return disk.fence(path) }
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        do {
            return try JSONDecoder().decode(FenceRecord.self, from: data)
        } catch {
            throw JournalError(code: .unreadable, path: path, message: "\(error)")
        }
    }

    /// Replaces the record at once or not at all.
    func write(in directory: String, on disk: MemoryDisk? = nil) throws {
        let path = Self.path(in: directory)
        if let disk { return disk.keep(self, at: path) }
        try JSONEncoder().encode(self).write(to: URL(fileURLWithPath: path), options: .atomic)
    }

    /// The deadlines on `clock`.
    ///
    /// Within one boot the boot-time clock goes on across processes, so they hold exactly, whatever is done
    /// to the wall clock. Across boots only wall time connects the two; where it went back, how long the
    /// agent was away cannot be known, and the deadlines count as passed: the parts may run elsewhere.
    func deadlines(on clock: some AgentClock) -> FenceDeadlines {
        guard bootID != clock.bootID else { return deadlines }
        let away = clock.wallTime().since(wall)
        let toNow = clock.now().since(now)
        guard away >= .zero else {
            let latest = ([deadlines.session].compactMap { $0 } + deadlines.behind.values).max() ?? now
            return deadlines.shifted(by: clock.now().since(latest))
        }
        return deadlines.shifted(by: toNow - away)
    }
}
