import Dispatch
import Foundation
import Synchronization

/// A serial executor over a dispatch queue of its own.
///
/// libpq blocks for name look-ups and cancel requests, and its sockets are watched by dispatch sources:
/// both want a queue, not the cooperative pool. Handlers of sources and timers run on this queue, so an
/// actor on this executor may use `assumeIsolated` inside them.
final class DispatchExecutor: SerialExecutor {
    private let queue: DispatchQueue

    init(label: String) {
        queue = DispatchQueue(label: label)
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedSerialExecutor()
        queue.async { job.runSynchronously(on: executor) }
    }

    func checkIsolated() {
        dispatchPrecondition(condition: .onQueue(queue))
    }

    /// Runs `work` on the queue, after everything that was enqueued before.
    func perform(_ work: @escaping @Sendable () -> Void) {
        queue.async(execute: work)
    }

    /// Runs `work` on the queue once `delay` is over, unless the timer was cancelled before.
    func timer(after delay: Duration, _ work: @escaping @Sendable () -> Void) -> DeadlineTimer {
        let timer = DeadlineTimer(work)
        queue.asyncAfter(deadline: .now() + delay.dispatchInterval) { timer.fire() }
        return timer
    }

    /// Watches a socket; both handlers run on the queue.
    func watch(
        socket: Int32,
        onReadable: @escaping @Sendable () -> Void,
        onWritable: @escaping @Sendable () -> Void
    ) -> SocketWatch {
        SocketWatch(socket: socket, queue: queue, onReadable: onReadable, onWritable: onWritable)
    }
}

/// A one-shot timer; cancelling it releases what its closure holds.
final class DeadlineTimer: Sendable {
    private let work: Mutex<(@Sendable () -> Void)?>

    fileprivate init(_ work: @escaping @Sendable () -> Void) {
        self.work = Mutex(work)
    }

    func cancel() {
        work.withLock { $0 = nil }
    }

    fileprivate func fire() {
        let pending = work.withLock { work in
            let pending = work
            work = nil
            return pending
        }
        pending?()
    }
}

/// Read and write readiness of one socket.
///
/// The sources hold duplicates of the descriptor, which they close themselves once cancelled: libpq may
/// then close its own at any time without a source watching a descriptor that was given to another file.
final class SocketWatch {
    private let socket: Int32
    private let queue: DispatchQueue
    private let onReadable: @Sendable () -> Void
    private let onWritable: @Sendable () -> Void
    private var readSource: (any DispatchSourceRead)?
    private var writeSource: (any DispatchSourceWrite)?
    private var readIsSuspended = true
    private var writeIsSuspended = true

    fileprivate init(
        socket: Int32,
        queue: DispatchQueue,
        onReadable: @escaping @Sendable () -> Void,
        onWritable: @escaping @Sendable () -> Void
    ) {
        self.socket = socket
        self.queue = queue
        self.onReadable = onReadable
        self.onWritable = onWritable
    }

    deinit {
        cancel()
    }

    var isReadingPaused: Bool { readIsSuspended }

    /// Whether the other side closed the connection. libdispatch reports readability once more then, and
    /// never again, however much is unread: whoever reads must read to the end.
    var peerHasHungUp: Bool {
        var request = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        guard poll(&request, 1, 0) > 0 else { return false }
        return request.revents & Int16(POLLHUP | POLLERR) != 0
    }

    /// Blocks the calling thread until there is something to read; false if there is not in time.
    func awaitReadable(milliseconds: Int32) -> Bool {
        var request = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        return poll(&request, 1, milliseconds) > 0
    }

    /// Reports readability until `pauseReading`; the handler is called again while data is unread.
    func resumeReading() {
        if readSource == nil {
            let descriptor = dup(socket)
            guard descriptor >= 0 else { return }
            let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
            source.setEventHandler(handler: onReadable)
            source.setCancelHandler { close(descriptor) }
            readSource = source
            readIsSuspended = true
        }
        guard readIsSuspended else { return }
        readIsSuspended = false
        readSource?.resume()
    }

    func pauseReading() {
        guard !readIsSuspended else { return }
        readIsSuspended = true
        readSource?.suspend()
    }

    /// Reports writability until `pauseWriting`.
    func resumeWriting() {
        if writeSource == nil {
            let descriptor = dup(socket)
            guard descriptor >= 0 else { return }
            let source = DispatchSource.makeWriteSource(fileDescriptor: descriptor, queue: queue)
            source.setEventHandler(handler: onWritable)
            source.setCancelHandler { close(descriptor) }
            writeSource = source
            writeIsSuspended = true
        }
        guard writeIsSuspended else { return }
        writeIsSuspended = false
        writeSource?.resume()
    }

    func pauseWriting() {
        guard !writeIsSuspended else { return }
        writeIsSuspended = true
        writeSource?.suspend()
    }

    /// Ends both sources. A suspended source would never run its cancel handler, so it is resumed first.
    func cancel() {
        if let source = readSource {
            source.cancel()
            if readIsSuspended { source.resume() }
            readSource = nil
            readIsSuspended = true
        }
        if let source = writeSource {
            source.cancel()
            if writeIsSuspended { source.resume() }
            writeSource = nil
            writeIsSuspended = true
        }
    }
}

extension Duration {
    fileprivate var dispatchInterval: DispatchTimeInterval {
        // Beyond this a timer means "never"; it keeps the nanoseconds within an Int.
        let longest: Int64 = 1_000_000_000
        let seconds = min(max(components.seconds, 0), longest)
        return .nanoseconds(
            Int(seconds) * 1_000_000_000 + Int(max(components.attoseconds, 0) / 1_000_000_000))
    }
}
