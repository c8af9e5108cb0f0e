internal import AgentProtocol
public import Fleet
internal import Foundation
internal import Shim

/// Reads start/stop journals, also while a substrate writes them.
public enum RunJournal {
    /// The journal of a substrate that was opened in `directory`.
    public static func path(in directory: String) -> String { directory + "/runs.journal" }

    /// All records in the order of writing; a torn last append is left out.
    /// - Throws: `JournalError`.
    public static func read(path: String) throws -> [RunRecord] {
        try JournalFile.read(path: path).payloads.flatMap {
            try JournalLines.decode(RunRecord.self, from: $0, path: path)
        }
    }

    /// All records of an agent, or of its substrate, by part in the order of writing.
    ///
    /// Parts that are processes have journals of their own, which are taken over when a part is forgotten;
    /// what a crash in between left in both counts once.
    /// - Parameter directory: state directory of the agent, or of its substrate.
    /// - Throws: `JournalError`, or what Foundation throws.
    public static func records(in directory: String) throws -> [RunRecord] {
        let place = place(of: directory)
        var records = try read(path: path(in: place))
        let layout = ProcessLayout(root: place)
        guard FileManager.default.fileExists(atPath: layout.parts) else { return records }
        var forgotten: Set<ID<Allocation>> = []
        records.removeAll { record in
            if forgotten.contains(record.allocation) { return true }
            if record.event == .forget { forgotten.insert(record.allocation) }
            return false
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: layout.parts).sorted() {
            guard let allocation = ID<Allocation>(name), !forgotten.contains(allocation) else { continue }
            records += try PartDirectory(path: layout.part(allocation)).records()
        }
        return records
    }

    private static func place(of directory: String) -> String {
        let nested = directory + "/substrate"
        return FileManager.default.fileExists(atPath: path(in: nested)) ? nested : directory
    }

    /// When parts ran on the hosts of an agent.
    ///
    /// Simulated fence deadlines hold while no agent is there: what they have ended has ended, though the
    /// line that says so is written by the agent that comes back.
    /// - Parameter directory: state directory of an agent, or of its substrate.
    /// - Throws: `JournalError`.
    public static func runs(in directory: String, clock: some AgentClock) throws -> [RunInterval] {
        let place = place(of: directory)
        let records = try records(in: place)
        let fence = try FenceRecord.read(in: place)?.deadlines(on: clock)
        let (now, wall) = (clock.now(), clock.wallTime())
        let stopping = Set(
            records.filter { $0.directive?.onPartition == .stop }.map(\.allocation))
        return records.intervals.map { interval in
            guard interval.to == nil, stopping.contains(interval.allocation),
                let deadline = fence?.deadline(of: interval.host), deadline <= now
            else { return interval }
            var ended = interval
            ended.to = max(interval.from, wall.advanced(by: deadline.since(now)))
            return ended
        }
    }
}

/// A time in which a part ran.
public struct RunInterval: Sendable, Hashable {
    public var host: String
    public var allocation: ID<Allocation>
    public var workload: ID<Document>
    public var part: String
    public var from: Timestamp
    /// Nil while it runs.
    public var to: Timestamp?
}

/// A part that ran twice at once.
public struct RunOverlap: Sendable, Hashable {
    public var first: RunInterval
    public var second: RunInterval
}

extension [RunRecord] {
    /// When each allocation ran, in the order of the starts. A second start of an allocation gives a second
    /// interval, though no substrate may do that.
    public var intervals: [RunInterval] {
        var intervals: [RunInterval] = []
        var open: [ID<Allocation>: Int] = [:]
        for record in self {
            switch record.event {
            case .start:
                open[record.allocation] = intervals.count
                intervals.append(
                    RunInterval(
                        host: record.host, allocation: record.allocation, workload: record.workload,
                        part: record.part, from: record.time))
            case .stop:
                if let index = open.removeValue(forKey: record.allocation) {
                    // The wall clock may have been set back in between.
                    intervals[index].to = Swift.max(intervals[index].from, record.time)
                }
            case .adopt, .forget: break
            }
        }
        return intervals
    }
}

extension [RunInterval] {
    /// Pairs of intervals of one part of one workload that share time. Give it the intervals of all journals.
    public var overlaps: [RunOverlap] {
        let sorted = self.sorted {
            ($0.workload, $0.part, $0.from, $0.allocation) < ($1.workload, $1.part, $1.from, $1.allocation)
        }
        var found: [RunOverlap] = []
        var longest: RunInterval?
        for interval in sorted {
            guard let earlier = longest, earlier.workload == interval.workload, earlier.part == interval.part
            else {
                longest = interval
                continue
            }
            if let end = earlier.to, end <= interval.from {
                longest = interval
                continue
            }
            found.append(RunOverlap(first: earlier, second: interval))
            if let end = earlier.to, interval.to.map({ $0 > end }) ?? true { longest = interval }
        }
        return found
    }
}
