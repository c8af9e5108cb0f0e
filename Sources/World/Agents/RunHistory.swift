internal import Control
internal import Fleet
internal import NodeAgent

/// When parts ran on one machine, by its journal, on the world's clock.
struct RunHistory {
    /// Appends of the journal that are read.
    var appends = 0
    private var open: [ID<Allocation>: RunEvidence] = [:]
    private var closed: [RunEvidence] = []

    mutating func take(_ records: [RunRecord], offset: Int64) {
        for record in records {
            let time = record.time.advanced(by: .microseconds(-offset))
            switch record.event {
            case .start:
                open[record.allocation] = RunEvidence(
                    host: record.host, allocation: record.allocation, workload: record.workload,
                    part: record.part, from: time, to: nil)
            case .stop:
                guard var run = open.removeValue(forKey: record.allocation) else { continue }
                run.to = max(run.from, time)
                closed.append(run)
            case .adopt, .forget: break
            }
        }
    }

    mutating func forget(endedBefore time: Timestamp) {
        closed.removeAll { $0.to.map { $0 < time } ?? false }
    }

    /// - Parameter end: when the power went, if it did.
    func evidence(cutAt end: Timestamp?) -> [RunEvidence] {
        closed
            + open.values.sorted { $0.allocation < $1.allocation }.map { run in
                var run = run
                run.to = end.map { max($0, run.from) }
                return run
            }
    }
}
