import CLibPQ
import Logging

/// Owns one `PGconn`. Confined to the actor that holds it.
final class LibPQHandle {
    let pointer: OpaquePointer
    let notices: NoticeReceiver

    init(pointer: OpaquePointer, notices: NoticeReceiver) {
        self.pointer = pointer
        self.notices = notices
        // Unretained: this object keeps the receiver alive until PQfinish has run.
        PQsetNoticeReceiver(
            pointer,
            { context, result in
                guard let context else { return }
                Unmanaged<NoticeReceiver>.fromOpaque(context).takeUnretainedValue().receive(result)
            },
            Unmanaged.passUnretained(notices).toOpaque())
    }

    deinit {
        PQfinish(pointer)
    }
}

/// Takes what the server says outside of results: warnings, and the reason why it ends an idle session.
final class NoticeReceiver {
    private let logger: Logger
    /// The last FATAL message.
    private(set) var fatal: PostgresError?

    init(logger: Logger) {
        self.logger = logger
    }

    func receive(_ result: OpaquePointer?) {
        let error = PostgresError(result: result, code: .connectionLost, statement: nil)
        if LibPQResult.isFatal(result) { fatal = error }
        logger.debug(
            "server notice",
            metadata: [
                "postgres.sqlstate": "\(error.sqlState ?? "")", "postgres.message": "\(error.message)",
            ])
    }
}

/// Owns one `PGresult`.
struct LibPQResult: ~Copyable {
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        PQclear(pointer)
    }

    var status: ExecStatusType { PQresultStatus(pointer) }

    var commandTag: String {
        PQcmdStatus(pointer).map { String(cString: $0) } ?? ""
    }

    var affectedRows: Int {
        PQcmdTuples(pointer).flatMap { Int(String(cString: $0)) } ?? 0
    }

    /// Whether the server ends the session with this error. The field is never translated.
    static func isFatal(_ pointer: OpaquePointer?) -> Bool {
        let severityField = Int32(UInt8(ascii: "V"))
        guard let severity = PQresultErrorField(pointer, severityField) else { return false }
        return String(cString: severity) == "FATAL" || String(cString: severity) == "PANIC"
    }
}
