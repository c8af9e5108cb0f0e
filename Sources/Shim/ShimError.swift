internal import Glibc

/// What the operating system refused.
package struct ShimError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What was tried, such as `open run.journal`.
    package var operation: String
    package var code: Int32

    package init(operation: String, code: Int32) {
        self.operation = operation
        self.code = code
    }

    /// The last failed call.
    static func last(_ operation: String) -> ShimError { ShimError(operation: operation, code: errno) }

    package var description: String { "\(operation): \(String(cString: strerror(code)))" }
}
