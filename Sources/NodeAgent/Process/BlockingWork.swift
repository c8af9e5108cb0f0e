internal import Foundation

/// Work that waits for disks and processes, on a thread of its own: it must not keep the agent from renewing
/// its leases. Callers bound how much of it there is.
enum BlockingWork {
    static func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
        }
    }
}
