internal import APITypes
internal import Client
internal import Fleet

/// The one thing that went wrong, in the words that the user sees.
struct CommandFailure: Error, Equatable {
    var status: ExitStatus
    /// One clear line.
    var message: String
    /// One line per defect.
    var details: [String] = []

    init(_ message: String, status: ExitStatus = .failed, details: [String] = []) {
        self.status = status
        self.message = message
        self.details = details
    }

    /// - Parameter subject: what the call was about, such as `vm/web-1`; put in front of the message.
    init(_ error: ClientError, about subject: String? = nil) {
        let prefix = subject.map { "\($0): " } ?? ""
        switch error {
        case .problem(let problem):
            let id = problem.code == .internalError ? problem.requestId.map { " (request \($0))" } ?? "" : ""
            self.init(
                prefix + error.description + id,
                status: ExitStatus(rawValue: Int32(problem.code.entry.exitCode)) ?? .failed,
                details: problem.causes.map { "\($0.field): \($0.message)" })
        case .unreachable, .unintelligible, .configuration:
            self.init(prefix + error.description)
        }
    }

    /// Lines for standard error.
    var lines: [String] { ["basalt: \(message)"] + details.map { "  \($0)" } }
}
