import AgentProtocol
import Fleet

extension AgentState {
    /// Sends a report when one is due: one at a time, and the same again until it is acknowledged.
    mutating func dispatchReport(_ connection: inout Connection, _ step: inout AgentStep) {
        guard connection.report.isReady(at: step.now) else { return }
        if connection.outstanding == nil {
            guard reportDue(connection).map({ $0 <= step.now }) ?? true else { return }
            connection.outstanding = nextReport(&connection, at: step.now)
        }
        guard let outstanding = connection.outstanding else { return }
        connection.report.status = .inFlight
        metrics.reportsSent += 1
        step.act(.report(outstanding.request))
    }

    /// When a tick shall look at reports; nil while one is under way.
    func reportDeadline(_ connection: Connection) -> MonotonicTime? {
        switch connection.report.status {
        case .inFlight: nil
        case .waiting(let until): until
        case .idle: reportDue(connection)
        }
    }

    /// When the next new report is to go out; nil for at once.
    private func reportDue(_ connection: Connection) -> MonotonicTime? {
        guard let last = connection.lastSentAt, dirty.count < connection.limits.partsPerReport else {
            return nil
        }
        let renewal = last.advanced(by: .seconds(connection.lease.renewEverySeconds))
        guard let oldest = dirty.oldest else { return renewal }
        let wait = min(configuration.reportCoalescing, .seconds(connection.limits.batchAgeSeconds))
        return min(renewal, oldest.advanced(by: wait))
    }

    private mutating func nextReport(
        _ connection: inout Connection, at now: MonotonicTime
    ) -> OutstandingReport {
        var parts: [PartReport] = []
        var revisions: [(key: PartKey, revision: Int)] = []
        while parts.count < connection.limits.partsPerReport, let key = dirty.popFirst() {
            guard let host = hosts[key.host], host.isCarried, !host.isRefused,
                let part = host.parts[key.allocation]
            else { continue }
            parts.append(report(key, part, host, complete: !part.listed))
            revisions.append((key, part.revision))
        }
        connection.sequence += 1
        connection.lastSentAt = now
        let request = ReportRequest(
            incarnation: connection.incarnation, sequence: connection.sequence, parts: parts,
            unreachable: unreachable)
        return OutstandingReport(request: request, firstSentAt: now, revisions: revisions)
    }

    /// - Parameter complete: with the directive, for a part that the controllers may not know.
    func report(_ key: PartKey, _ part: PartState, _ host: HostState, complete: Bool) -> PartReport {
        var report = PartReport(
            host: key.host, allocation: key.allocation,
            generation: host.accepted?.generation ?? Generation(epoch: 0, number: 0),
            state: part.reportedState, directive: complete ? part.directive : nil)
        if case .ended(let end) = part.phase {
            report.exitCode = end.exitCode
            report.message = end.message
        }
        return report
    }

    mutating func reported(_ response: ReportResponse, _ incarnation: Int, _ step: inout AgentStep) {
        guard var connection, connection.incarnation == incarnation,
            let outstanding = connection.outstanding
        else { return }
        guard response.acknowledged >= outstanding.request.sequence else {
            // A restored database takes nothing before it was told anew what runs.
            if response.epoch > connection.epoch { return greetAgain(step.now) }
            metrics.retries += 1
            connection.report.fail(until: retryTime(afterFailures: connection.report.failures + 1, step.now))
            session = .connected(connection)
            return
        }
        connection.report.succeed()
        connection.outstanding = nil
        let wasOut = connection.renew(sentAt: outstanding.firstSentAt, at: step.now)
        session = .connected(connection)
        metrics.reportsAcknowledged += 1
        metrics.partsRefused += response.refused.count
        for part in response.refused { step.act(.notice(.partRefused(part))) }
        renew(outstanding, connection.lease, &step)
        for (key, revision) in outstanding.revisions
        where hosts[key.host]?.parts[key.allocation]?.revision == revision {
            hosts[key.host]?.parts[key.allocation]?.acknowledged = true
        }
        forget(outstanding.revisions.map(\.key), &step)
        // What was accepted before the lease ran out may be somebody else's: it is asked for anew.
        if response.epoch > connection.epoch || (wasOut && awaitsStarts) { greetAgain(step.now) }
    }

    /// Whether parts are accepted and not given to the runtime yet.
    private var awaitsStarts: Bool {
        hosts.values.contains { $0.parts.values.contains { $0.phase == .accepted } }
    }

    /// The lease runs from the first time the report was sent: if that copy was the one committed, later
    /// copies had no effect and the controllers count from then.
    private mutating func renew(
        _ report: OutstandingReport, _ lease: LeaseTerms, _ step: inout AgentStep
    ) {
        let renewal = LeaseRenewal(
            sentAt: report.firstSentAt, stopAfterSeconds: lease.stopAfterSeconds,
            except: report.request.unreachable)
        leaseDeadline = renewal.deadline
        if canRun { step.act(.renew(renewal)) }
        drives.releaseHeld()
    }
}
