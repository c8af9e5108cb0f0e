internal import Foundation

/// The agent's memory on disk: what it accepted per host, and how far it got.
///
/// An append-only journal rather than a file per host: one poll answer is one append and one fsync, whatever
/// the number of hosts in it.
final class AgentLedger {
    enum Limit {
        /// Below this size rewriting the journal is not worth it: it loads in well under a second.
        static let compactionBytes = 8 << 20
        /// Growth over the last compacted size that makes the next one due, so that rewriting costs a
        /// constant share of what is appended.
        static let compactionGrowth = 4
        /// Hosts per frame of a compacted journal, a few MB.
        static let hostsPerFrame = 500
    }

    private let path: String
    private let disk: MemoryDisk?
    private var file: JournalFile
    private var compactedBytes: Int

    private init(path: String, file: JournalFile, disk: MemoryDisk?) {
        self.path = path
        self.file = file
        self.disk = disk
        compactedBytes = file.byteCount
    }

    /// Opens the ledger in `directory`, which is created when absent, and compacts it when it is due.
    /// - Parameter disk: keeps it instead of the file system.
    /// - Throws: `JournalError`; a ledger with damage before its last append is refused, not repaired.
    static func open(
        directory: String, on disk: MemoryDisk? = nil
    ) throws -> (ledger: AgentLedger, snapshot: LedgerSnapshot) {
        if disk == nil {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        }
        let path = directory + "/ledger.journal"
        let (file, payloads) = try JournalFile.open(path: path, on: disk)
        var snapshot = LedgerSnapshot()
        for payload in payloads {
            for entry in try JournalLines.decode(LedgerEntry.self, from: payload, path: path) {
                snapshot.apply(entry)
            }
        }
        if disk == nil { try DurableFile.syncDirectory(of: path) }
        let ledger = AgentLedger(path: path, file: file, disk: disk)
        if file.byteCount > Limit.compactionBytes { try ledger.compact(snapshot) }
        return (ledger, snapshot)
    }

    var byteCount: Int { file.byteCount }

    /// Whether the journal outgrew what it stands for.
    var isCompactionDue: Bool {
        file.byteCount > max(Limit.compactionBytes, compactedBytes * Limit.compactionGrowth)
    }

    /// Returns when the entries survive a power loss.
    /// - Throws: `JournalError`; nothing that the entries allow may be done then.
    func append(_ entries: [LedgerEntry]) throws {
        try file.append(try JournalLines.encode(entries), durable: true)
    }

    /// Rewrites the journal as `snapshot`, which must hold all that was appended.
    /// - Throws: `JournalError`; the journal is as before then.
    func compact(_ snapshot: LedgerSnapshot) throws {
        let entries = snapshot.entries
        let starts = stride(from: 0, to: entries.count, by: Limit.hostsPerFrame)
        let payloads = try starts.map { start in
            try JournalLines.encode(entries[start..<min(entries.count, start + Limit.hostsPerFrame)])
        }
        file = try JournalFile.replace(path: path, payloads: payloads, on: disk)
        compactedBytes = file.byteCount
    }
}
