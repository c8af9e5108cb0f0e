internal import FaultLab
internal import Fleet
internal import Synchronization

/// The last calls of agents to controllers, as tracing would show them. Empty until somebody wants them: worlds
/// that nobody looks into do without.
final class SpanLog: Sendable {
    /// Calls that are kept: some minutes of a fleet.
    private static let kept = 8192

    private struct State {
        var isOn = false
        var spans: [TraceSpan] = []
        var next = 0
    }

    private let state = Mutex(State())

    var isOn: Bool { state.withLock(\.isOn) }
    func begin() { state.withLock { $0.isOn = true } }

    /// - Parameters:
    ///   - start: of the call, microseconds of the world.
    ///   - error: what it ended with; nil when it was answered.
    func note(_ agent: String, _ operation: String, start: Int64, end: Int64, error: (any Error)?) {
        state.withLock { state in
            let span = TraceSpan(
                at: VirtualClock.origin.advanced(by: .microseconds(start)), service: "agent/\(agent)",
                operation: operation, milliseconds: Double(end - start) / 1000,
                error: error.map { $0 is CancellationError ? "no answer in time" : "\($0)" })
            if state.spans.count < Self.kept {
                state.spans.append(span)
            } else {
                state.spans[state.next] = span
                state.next = (state.next + 1) % Self.kept
            }
        }
    }

    /// In no order.
    var spans: [TraceSpan] { state.withLock(\.spans) }
}
