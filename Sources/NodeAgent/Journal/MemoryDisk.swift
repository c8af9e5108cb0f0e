internal import Synchronization

/// The disk of a simulated machine: what an agent and its substrate keep there outlives both, and costs no
/// system call.
public final class MemoryDisk: Sendable {
    private struct Journal {
        var payloads: [[UInt8]] = []
        /// Who opened it last; earlier ones are dead processes.
        var writer = 0
    }

    private struct Contents {
        var journals: [String: Journal] = [:]
        var fences: [String: FenceRecord] = [:]
    }

    private let contents = Mutex(Contents())

    public init() {}

    func open(_ path: String) -> (writer: Int, payloads: [[UInt8]]) {
        contents.withLock { contents in
            contents.journals[path, default: Journal()].writer += 1
            return (contents.journals[path]?.writer ?? 0, contents.journals[path]?.payloads ?? [])
        }
    }

    /// - Throws: `JournalError` with code `locked` for a writer that is not the last.
    func append(_ payload: [UInt8], to path: String, writer: Int) throws {
        try contents.withLock { contents in
            guard contents.journals[path]?.writer == writer else {
                throw JournalError(code: .locked, path: path, message: "another process writes this journal")
            }
            contents.journals[path]?.payloads.append(payload)
        }
    }

    /// - Returns: the writer from then on.
    func replace(_ path: String, with payloads: [[UInt8]]) -> Int {
        contents.withLock { contents in
            let writer = (contents.journals[path]?.writer ?? 0) + 1
            contents.journals[path] = Journal(payloads: payloads, writer: writer)
            return writer
        }
    }

    func payloads(of path: String, from index: Int) -> ArraySlice<[UInt8]> {
        contents.withLock { $0.journals[path]?.payloads.dropFirst(index) ?? [] }
    }

    func fence(_ path: String) -> FenceRecord? { contents.withLock { $0.fences[path] } }

    func keep(_ fence: FenceRecord, at path: String) { contents.withLock { $0.fences[path] = fence } }
}

extension RunJournal {
    /// Lines of a substrate's journal that were written after the first `appends` appends.
    ///
    /// - Returns: the lines in the order of writing, and how many appends there are now.
    /// - Throws: `JournalError`.
    public static func read(
        _ directory: String, on disk: MemoryDisk, after appends: Int
    ) throws -> (records: [RunRecord], appends: Int) {
        let path = path(in: directory)
        let payloads = disk.payloads(of: path, from: appends)
        let records = try payloads.flatMap {
            try JournalLines.decode(RunRecord.self, from: $0[...], path: path)
        }
        return (records, appends + payloads.count)
    }
}
