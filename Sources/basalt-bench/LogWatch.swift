import Logging
import Synchronization

/// Remembers when a controller said what it had done: the times are then those of its own steps.
final class LogWatch: LogHandler {
    private struct Line {
        var message: String
        var cell: String?
        var at: ContinuousClock.Instant
    }

    private let lines = Mutex<[Line]>([])

    var logLevel: Logger.Level {
        get { .info }
        set { _ = newValue }
    }

    var metadata: Logger.Metadata {
        get { [:] }
        set { _ = newValue }
    }

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { nil }
        set { _ = newValue }
    }

    func log(event: LogEvent) {
        let cell = event.metadata?["cell"].map { "\($0)" }
        lines.withLock { $0.append(Line(message: "\(event.message)", cell: cell, at: .now)) }
    }

    /// Milliseconds between the first lines with two messages about a cell; waits for both.
    func time(from first: String, to second: String, cell: String) async throws -> Double {
        while true {
            let found = lines.withLock { lines in
                [first, second].map { message in lines.first { $0.message == message && $0.cell == cell }?.at
                }
            }
            if let start = found[0], let end = found[1] { return Spread.milliseconds(end - start) }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
