import Fleet
import Logging
import Store
import Synchronization
import Testing

@testable import Control

/// How loud an error is told.
@Suite struct FailureTests {
    private final class Lines: Sendable {
        let written = Mutex<[String]>([])
    }

    private struct Handler: LogHandler {
        let lines: Lines
        var logLevel = Logger.Level.trace
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.MetadataValue? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let code = event.metadata?["code"].map { "\($0)" } ?? ""
            lines.written.withLock { $0.append("\(event.level.rawValue) \(event.message) \(code)") }
        }
    }

    private struct Odd: Error {}

    @Test(arguments: [
        (StoreError.unavailable("x"), "warning m store.unavailable"),
        (.leaseLost(cell: "c"), "warning m store.lease_lost"),
        (.outcomeUnknown("x"), "warning m store.outcome_unknown"),
        (.corrupt("x"), "error m store.corrupt"),
        (.notFound(kind: .vm, name: "x"), "error m store.not_found"),
    ])
    func `expected errors are warnings, others errors, all with their code`(error: StoreError, line: String) {
        let lines = Lines()
        Logger(label: "test") { _ in Handler(lines: lines) }.failure("m", error)
        #expect(lines.written.withLock { $0 } == [line])
    }

    @Test func `an unknown error is an error`() {
        let lines = Lines()
        Logger(label: "test") { _ in Handler(lines: lines) }.failure("m", Odd())
        #expect(lines.written.withLock { $0 } == ["error m unknown"])
    }
}
