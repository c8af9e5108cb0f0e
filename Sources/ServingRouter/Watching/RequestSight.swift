internal import Fleet
internal import Synchronization

/// What a router sees of its requests from one report to the next.
final class RequestSight: Sendable {
    struct Window: Equatable {
        var requests = 0
        var failed = 0
        /// By class of the time until the first byte.
        var firstBytes = [Int](repeating: 0, count: ServingReport.firstByteBounds.count + 1)
    }

    private let window = Mutex(Window())

    func arrived() { window.withLock { $0.requests += 1 } }

    func failed() { window.withLock { $0.failed += 1 } }

    /// - Parameter milliseconds: since the last byte of the request.
    func began(after milliseconds: Double) {
        window.withLock { $0.firstBytes[ServingReport.firstByteClass(milliseconds)] += 1 }
    }

    /// Ends a window and begins the next.
    func take() -> Window {
        window.withLock { window in
            defer { window = Window() }
            return window
        }
    }
}
