import CLibPQ

/// Asks the server to stop what a session runs. `PQcancel` opens a connection of its own and blocks until
/// the server closed it, so it has a queue of its own.
actor CancelRequester {
    nonisolated let executor = DispatchExecutor(label: "postgres.cancel")
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let handle: CancelHandle

    /// Takes over the `PGcancel` at that address, which shares nothing with its connection. An address,
    /// because a pointer that was made on another actor could not be handed to this one.
    init?(address: UInt) {
        guard let pointer = OpaquePointer(bitPattern: address) else { return nil }
        handle = CancelHandle(pointer: pointer)
    }

    /// Starts the request; `completion` runs on this requester's queue when the server has taken it or it
    /// failed. A failure needs no report: the statement then ends by itself or by the deadline.
    nonisolated func start(completion: @escaping @Sendable () -> Void) {
        executor.perform {
            self.assumeIsolated { $0.request() }
            completion()
        }
    }

    private func request() {
        var message = [CChar](repeating: 0, count: 256)
        _ = PQcancel(handle.pointer, &message, Int32(message.count))
    }
}

/// Owns one `PGcancel`.
private final class CancelHandle {
    let pointer: OpaquePointer

    init(pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        PQfreeCancel(pointer)
    }
}
