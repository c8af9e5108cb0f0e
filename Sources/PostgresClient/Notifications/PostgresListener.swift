public import Logging

/// LISTEN on a connection of its own, as a sequence that never fails: when the connection breaks it is made
/// anew with growing waits. The sequence ends when the iterating task is cancelled.
///
/// Notifications are hints. Those sent while there was no connection are gone: on `.listening`,
/// `.reconnected` and `.overflowed` a consumer looks at the full state.
public struct PostgresListener: AsyncSequence, Sendable {
    public typealias Failure = Never

    public enum Element: Sendable, Hashable {
        /// LISTEN is in force for the first time.
        case listening
        /// LISTEN is in force again; notifications may have been missed.
        case reconnected
        /// More different notifications came than the buffer holds; some were dropped.
        case overflowed
        case notification(PostgresNotification)
    }

    let configuration: PostgresConfiguration
    let channels: [String]
    let bufferLimit: Int
    let backoff: Backoff
    let jitter: JitterSource
    let logger: Logger

    /// `bufferLimit` is the number of different notifications that wait for a slow consumer.
    public init(
        configuration: PostgresConfiguration,
        channels: [String],
        bufferLimit: Int = 1_024,
        backoff: Backoff = Backoff(initial: .milliseconds(50), maximum: .seconds(5)),
        jitter: JitterSource,
        logger: Logger
    ) {
        self.configuration = configuration
        self.channels = channels
        self.bufferLimit = bufferLimit
        self.backoff = backoff
        self.jitter = jitter
        self.logger = logger
    }

    public func makeAsyncIterator() -> Iterator {
        Iterator(listener: self)
    }

    public struct Iterator: AsyncIteratorProtocol {
        public typealias Failure = Never

        private let listener: PostgresListener
        private var connection: PostgresConnection?
        private var wasConnected = false
        private var failures = 0
        private var waiting: ArraySlice<Element> = []

        fileprivate init(listener: PostgresListener) {
            self.listener = listener
        }

        public mutating func next() async -> Element? {
            while !Task.isCancelled {
                if let element = waiting.popFirst() { return element }
                do {
                    if let connection {
                        let (notifications, hasOverflowed) = try await connection.nextNotifications()
                        waiting = ArraySlice(notifications.map { .notification($0) })
                        if hasOverflowed { waiting.append(.overflowed) }
                    } else {
                        waiting = [try await connect()]
                    }
                } catch {
                    await recover(from: error)
                }
            }
            await connection?.close()
            connection = nil
            return nil
        }

        private mutating func connect() async throws -> Element {
            let new = try await PostgresConnection.connect(listener.configuration, logger: listener.logger)
            try await new.listen(to: listener.channels, bufferLimit: listener.bufferLimit)
            connection = new
            failures = 0
            defer { wasConnected = true }
            return wasConnected ? .reconnected : .listening
        }

        private mutating func recover(from error: any Error) async {
            connection = nil
            guard !Task.isCancelled else { return }
            failures += 1
            listener.logger.warning(
                "listener lost its connection", metadata: ["postgres.error": "\(error)"])
            let delay = listener.backoff.delay(attempt: failures, fraction: listener.jitter.fraction())
            do {
                try await Task.sleep(for: delay)
            } catch {
                // Only cancellation ends the sleep, and the loop asks for it.
            }
        }
    }
}
