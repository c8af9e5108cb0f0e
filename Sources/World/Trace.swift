internal import Synchronization

/// What happened, as one number and as the last few lines.
final class Trace: Sendable {
    enum Event: UInt8, Sendable {
        case faultBegan, faultEnded, agentStarted, agentEnded, controllerStarted, controllerEnded
        case hello, poll, report, callFailed, created, deleted, drained, storeEvent, violation
    }

    private struct Line {
        var time: Int64
        var event: Event
        var subject: String
        var detail: String
    }

    /// Lines that a report of a failure shows.
    static let keptLines = 200

    private struct State {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        var lines: [Line] = []
        var next = 0

        mutating func mix(_ word: UInt64) {
            // FNV-1a over words: fast, and equal in every process.
            hash = (hash ^ word) &* 0x0000_0100_0000_01B3
            hash ^= hash >> 29
        }
    }

    private let clock: VirtualClock
    private let state = Mutex(State())

    init(clock: VirtualClock) { self.clock = clock }

    var hash: UInt64 { state.withLock { $0.hash } }

    /// For what happens all the time: it goes into the hash alone.
    func count(_ event: Event, _ subject: Int, _ value: Int) {
        let now = clock.now
        state.withLock { state in
            state.mix(UInt64(bitPattern: now))
            state.mix(UInt64(event.rawValue) << 32 ^ UInt64(truncatingIfNeeded: subject))
            state.mix(UInt64(truncatingIfNeeded: value))
        }
    }

    func note(_ event: Event, _ subject: String, _ detail: String = "") {
        let now = clock.now
        state.withLock { state in
            state.mix(UInt64(bitPattern: now))
            state.mix(UInt64(event.rawValue))
            for byte in subject.utf8 { state.mix(UInt64(byte)) }
            for byte in detail.utf8 { state.mix(UInt64(byte)) }
            let line = Line(time: now, event: event, subject: subject, detail: detail)
            if state.lines.count < Self.keptLines {
                state.lines.append(line)
            } else {
                state.lines[state.next] = line
            }
            state.next = (state.next + 1) % Self.keptLines
        }
    }

    /// The last lines, oldest first.
    var tail: [String] {
        state.withLock { state in
            let lines =
                state.lines.count < Self.keptLines
                ? state.lines[...] : state.lines[state.next...] + state.lines[..<state.next]
            return lines.map { line in
                let seconds = Double(line.time / 1000) / 1000
                return "\(seconds) s \(line.event) \(line.subject) \(line.detail)"
            }
        }
    }
}
