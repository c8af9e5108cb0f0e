import Fleet
import Store

extension CheckedFleet {
    /// A part has one unreleased allocation in the ledger, quarantined copies aside, and by the journals it
    /// never ran twice at once. An end and a start at the same time do not overlap.
    func partsWithTwoWriters() -> [Finding] {
        let writers = live.filter { !$0.quarantined && !$0.isStandby }
        let parts = writers.map {
            PartKey(uid: $0.workload.uid, part: $0.workload.part)
        }
        let held = parts.repeated().map { key in
            let holders = writers.filter { $0.workload.uid == key.uid && $0.workload.part == key.part }
            return Finding(
                subject: holders.first?.workload.title ?? "part \(key.part)",
                message: "is held by \(holders.map(\.id.description).sorted().joined(separator: ", "))")
        }
        return held + brokenMigrations() + overlappingRuns()
    }

    /// A migration that is under way has one reservation, which nothing runs by, and one source that writes
    /// for the same part on another host.
    private func brokenMigrations() -> [Finding] {
        let standbys = live.filter(\.isStandby)
        let sources = Dictionary(grouping: live.filter { $0.departure != nil }, by: \.departure)
        let again = standbys.compactMap(\.arrival?.migration).repeated().map {
            Finding(subject: "migration \($0)", message: "has more than one target")
        }
        let targets = standbys.compactMap { target -> Finding? in
            guard target.state == .reserved, !target.quarantined else {
                return Finding(subject: target.title, message: "stands by and is \(target.state.rawValue)")
            }
            let source = target.arrival.flatMap { sources[$0.migration] } ?? []
            guard source.count == 1, let first = source.first, first.workload == target.workload,
                first.host != target.host, !first.quarantined, !first.isStandby
            else {
                return Finding(
                    subject: target.title, message: "stands by for \(source.count) sources, not for its own")
            }
            return nil
        }
        let targeted = Set(standbys.compactMap(\.arrival?.migration))
        let strays = live.compactMap { source -> Finding? in
            guard let migration = source.departure, !targeted.contains(migration) else { return nil }
            return Finding(
                subject: source.title, message: "departs by migration \(migration), which has no target")
        }
        return again + targets + strays
    }

    private func overlappingRuns() -> [Finding] {
        Dictionary(grouping: runs(), by: \.part).flatMap { key, runs in
            let ordered = runs.sorted { ($0.from, $0.allocation) < ($1.from, $1.allocation) }
            var found: [Finding] = []
            // Compared with the run that ends last, so that one long run meets every later one.
            var longest: Run?
            for run in ordered {
                if let before = longest, run.from.advanced(by: snapshot.clockSkew) < before.until {
                    found.append(
                        Finding(
                            subject: "workload \(key.uid) part \(key.part)",
                            message: """
                                ran on \(name(of: before.host)) and \(name(of: run.host)) \
                                at \(run.from)
                                """))
                }
                if run.until > longest?.until ?? Timestamp(microseconds: .min) { longest = run }
            }
            return found
        }
    }

    private struct PartKey: Hashable {
        var uid: ID<Document>
        var part: String
    }

    private struct Run {
        var part: PartKey
        var host: ID<Document>
        var allocation: ID<Allocation>
        var from: Timestamp
        var until: Timestamp
    }

    /// From every start to its stop, or for ever.
    private func runs() -> [Run] {
        var open: [JournalKey: JournalEntry] = [:]
        var runs: [Run] = []
        func end(_ start: JournalEntry, at until: Timestamp) {
            runs.append(
                Run(
                    part: PartKey(uid: start.workload, part: start.part), host: start.host,
                    allocation: start.allocation, from: start.at, until: until))
        }
        for entry in snapshot.journals {
            let key = JournalKey(entry)
            switch entry.event {
            // A start after a start: the shim did not live to write the stop, so the first ended before.
            case .start: if let start = open.updateValue(entry, forKey: key) { end(start, at: entry.at) }
            case .stop: if let start = open.removeValue(forKey: key) { end(start, at: entry.at) }
            }
        }
        for start in open.values { end(start, at: Timestamp(microseconds: .max)) }
        return runs
    }
}
