/// Why a journal cannot be used.
public struct JournalError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Code: String, Sendable {
        /// Another process has the journal open for writing.
        case locked
        /// A record before the last one does not match its checksum. Nothing is dropped: a person decides.
        case corrupt
        /// The operating system refused a call.
        case system
        /// A record is whole but means nothing to this version.
        case unreadable
    }

    public var code: Code
    public var path: String
    public var message: String

    public init(code: Code, path: String, message: String) {
        self.code = code
        self.path = path
        self.message = message
    }

    public var description: String { "\(path): \(code.rawValue): \(message)" }
}
