internal import Foundation
public import Fleet
internal import Store

/// A time in which a part ran, by the journal of its host.
public struct RunEvidence: Sendable, Hashable {
    /// Name of the host.
    public var host: String
    public var allocation: ID<Allocation>
    public var workload: ID<Document>
    public var part: String
    public var from: Timestamp
    /// Nil while it runs.
    public var to: Timestamp?

    public init(
        host: String, allocation: ID<Allocation>, workload: ID<Document>, part: String, from: Timestamp,
        to: Timestamp?
    ) {
        self.host = host
        self.allocation = allocation
        self.workload = workload
        self.part = part
        self.from = from
        self.to = to
    }
}

extension FleetSnapshot {
    /// Puts journals beside the ledger.
    ///
    /// A journal without an end says nothing of the time after it was read. It is taken to end with its
    /// release when that came later, and when an operator vouched for a host whose journal nobody writes on.
    public mutating func take(_ runs: [RunEvidence], readAt: Timestamp) {
        var uids = Dictionary(hosts.map { ($0.name, $0.id) }) { first, _ in first }
        let rows = Dictionary(allocations.map { ($0.id, $0) }) { first, _ in first }
        let vouched = Set(
            events.filter { $0.reason == .hostFenced && $0.source.hasPrefix("user/") }.map(\.uid))
        var entries: [JournalEntry] = []
        for run in runs {
            let host = uids[run.host] ?? ID(UUID(uuid: Self.stranger(uids.count)))
            uids[run.host] = host
            var end = run.to
            if end == nil, let released = rows[run.allocation]?.releasedAt,
                released > readAt || vouched.contains(run.workload)
            {
                end = max(released, run.from)
            }
            for (at, event) in [(run.from, JournalEntry.Event.start), (end, .stop)] {
                guard let at else { continue }
                entries.append(
                    JournalEntry(
                        at: at, host: host, allocation: run.allocation, workload: run.workload,
                        part: run.part, event: event, generation: Generation(epoch: 0, number: 0)))
            }
        }
        journals = entries.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
            .map(\.element)
    }

    /// An id that no host has: ids of documents are never this small.
    private static func stranger(_ number: Int) -> uuid_t {
        withUnsafeBytes(of: UInt64(number).bigEndian) { bytes in
            (
                0, 0, 0, 0, 0, 0, 0, 0, bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6],
                bytes[7]
            )
        }
    }
}
