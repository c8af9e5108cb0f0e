import AgentProtocol
import Fleet

extension RunRecord {
    /// The event on the wall clock, given both clocks of one moment.
    init(_ event: SimulatedEvent, now: MonotonicTime, wall: Timestamp) {
        let part = event.part
        var end: PartEnd?
        if event.event == .stop, case .ended(let value) = part.state { end = value }
        self.init(
            time: wall.advanced(by: event.time.since(now)), host: part.key.host,
            allocation: part.key.allocation, workload: part.directive.workload.uid,
            part: part.directive.workload.part, event: event.event, reason: event.reason,
            directive: event.event == .start ? part.directive : nil, end: end)
    }
}

extension [RunRecord] {
    /// The parts that were not forgotten, sorted, with their starts on the clock of this process.
    ///
    /// Starts are placed by wall time: only latencies of seconds are counted from them. Deadlines, which must
    /// be exact, are kept by `FenceRecord`.
    func survivors(now: MonotonicTime, wall: Timestamp) -> [SimulatedPart] {
        var parts: [ID<Allocation>: SimulatedPart] = [:]
        for record in self {
            switch record.event {
            case .start:
                guard let directive = record.directive else { continue }
                let age = Swift.max(.zero, wall.since(record.time))
                parts[record.allocation] = SimulatedPart(
                    key: PartKey(host: record.host, allocation: record.allocation), directive: directive,
                    state: .starting, startedAt: now.advanced(by: .zero - age))
            case .stop:
                let end = record.end ?? PartEnd(outcome: .stopped)
                parts[record.allocation]?.state = .ended(end)
                let age = Swift.max(.zero, wall.since(record.time))
                parts[record.allocation]?.endedAt = now.advanced(by: .zero - age)
            case .forget: parts[record.allocation] = nil
            case .adopt: break
            }
        }
        return parts.values.sorted { $0.key < $1.key }
    }
}
