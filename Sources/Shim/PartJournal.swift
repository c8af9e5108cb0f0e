internal import CShim
internal import Glibc

/// The start/stop journal of one part, in the format of `RunJournal`, written by its shim.
struct PartJournal {
    /// How a part ended.
    struct End {
        var isAsked: Bool
        var exitCode: Int32?
        var message: String
    }

    enum Limit {
        /// A stop record; kept free when the start is written, so that a disk that fills up meanwhile does
        /// not keep the end from being noted.
        static let reservedBytes: off_t = 4096
    }

    let order: ShimOrder
    /// The journal, whose lock came with it.
    let descriptor: Int32

    /// Whether nothing was written yet. Whatever was, the part is never started (again).
    func isEmpty() throws(ShimError) -> Bool {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .last("stat \(PartFiles.journal)") }
        return status.st_size == 0
    }

    /// Returns when the start survives a power loss.
    func recordStart() throws(ShimError) {
        try append(
            event: "start", reason: "directive", time: ShimClock.wallTime(),
            extra: [("directive", order.directive)])
        // why no check: where space cannot be reserved, the stop record is tried until it fits.
        _ = shim_reserve(descriptor, Limit.reservedBytes)
        try Files.syncWorkingDirectory()
    }

    func recordStop(_ end: End, reason: String, time: String) throws(ShimError) {
        var fields = [("message", Self.quoted(end.message))]
        if let code = end.exitCode { fields.insert(("exitCode", "\(code)"), at: 0) }
        fields.append(("outcome", Self.quoted(end.isAsked ? "stopped" : "failed")))
        try append(event: "stop", reason: reason, time: time, extra: [("end", Self.object(fields))])
    }

    private func append(
        event: String, reason: String, time: String, extra: [(String, String)]
    ) throws(ShimError) {
        let fields =
            [
                ("allocation", Self.quoted(order.allocation)), ("event", Self.quoted(event)),
                ("host", Self.quoted(order.host)), ("part", Self.quoted(order.part)),
                ("reason", Self.quoted(reason)), ("time", Self.quoted(time)),
                ("workload", Self.quoted(order.workload)),
            ] + extra
        let line = Self.object(fields.sorted { $0.0 < $1.0 }) + "\n"
        let length = lseek(descriptor, 0, SEEK_END)
        do throws(ShimError) {
            try Files.write(
                JournalFrame.encode(Array(line.utf8)), to: descriptor, named: PartFiles.journal)
            guard fsync(descriptor) == 0 else { throw .last("fsync \(PartFiles.journal)") }
        } catch {
            // Best effort: if it fails too, a reader leaves the torn frame out.
            _ = ftruncate(descriptor, length)
            throw error
        }
    }

    private static func object(_ fields: [(String, String)]) -> String {
        "{" + fields.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
    }

    /// A JSON string.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
