/// Whether a call may be made.
struct CallState: Sendable {
    enum Status: Sendable {
        case idle
        case inFlight
        case waiting(until: MonotonicTime)
    }

    var status = Status.idle
    /// Failures in a row.
    var failures = 0

    func isReady(at now: MonotonicTime) -> Bool {
        switch status {
        case .idle: true
        case .inFlight: false
        case .waiting(let until): until <= now
        }
    }

    mutating func succeed() { self = CallState() }

    mutating func fail(until: MonotonicTime) {
        status = .waiting(until: until)
        failures += 1
    }
}
