import AgentProtocol
import Fleet

extension AgentState {
    mutating func polled(_ response: PollResponse, _ incarnation: Int, _ step: inout AgentStep) {
        guard var connection, connection.incarnation == incarnation else { return }
        guard response.epoch <= connection.epoch else {
            // The database was restored: first tell it what runs, then take its orders.
            greetAgain(step.now)
            return
        }
        guard response.epoch == connection.epoch else {
            step.act(.notice(.staleEpoch(answered: response.epoch, known: connection.epoch)))
            connection.poll.fail(until: retryTime(afterFailures: connection.poll.failures + 1, step.now))
            session = .connected(connection)
            return
        }
        connection.poll.succeed()
        guard connection.polledAt >= connection.heldSince else {
            // Asked while the lease ran out: what it says may have been taken back since.
            session = .connected(connection)
            return
        }
        connection.cursor = response.cursor
        let questions = response.questions ?? []
        if response.assignments.isEmpty, questions.isEmpty,
            step.now.since(connection.polledAt) < configuration.backoff.first
        {
            // An empty answer ends a long wait; one that comes at once must not make a tight loop.
            connection.poll.status = .waiting(until: step.now.advanced(by: configuration.backoff.first))
        }
        session = .connected(connection)
        if !questions.isEmpty { step.act(.answer(questions)) }
        var isGreetingDue = false
        for assignment in response.assignments {
            guard let refusal = accept(assignment, connection, &step) else { continue }
            count(refusal)
            step.act(
                .notice(
                    .assignmentRefused(
                        host: assignment.host, generation: assignment.generation, refusal)))
            if case .epochNotGreeted = refusal {
                isGreetingDue = true
            } else {
                restate(assignment.host, &step)
            }
        }
        drives.releaseHeld()
        if isGreetingDue { greetAgain(step.now) }
    }

    /// Why the assignment is not acted on; nil when it is, or is the one held.
    private mutating func accept(
        _ assignment: HostAssignment, _ connection: Connection, _ step: inout AgentStep
    ) -> AssignmentRefusal? {
        let name = assignment.host
        guard let host = hosts[name], host.isCarried else { return .unknownHost }
        if let held = host.accepted {
            if assignment.generation < held.generation { return .older(held: held.generation) }
            if assignment.generation == held.generation {
                guard assignment.hash == held.hash else { return .conflictingHash(held: held.hash) }
                metrics.assignmentsRepeated += 1
                confirm(name, connection, &step)
                return nil
            }
        }
        guard assignment.generation.epoch <= connection.epoch else {
            return .epochNotGreeted(known: connection.epoch)
        }
        let computed = HostAssignment.hash(of: assignment.parts)
        guard computed == assignment.hash else { return .wrongHash(computed: computed) }
        metrics.assignmentsAccepted += 1
        hosts[name]?.accepted = AcceptedVersion(generation: assignment.generation, hash: assignment.hash)
        step.touch(host: name)
        let named = Set(assignment.parts.map(\.allocation))
        for directive in assignment.parts { apply(directive, on: name, &step) }
        for allocation in host.parts.keys.sorted() where !named.contains(allocation) {
            unlist(PartKey(host: name, allocation: allocation), &step)
        }
        confirm(name, connection, &step)
        return nil
    }

    private mutating func apply(_ directive: PartDirective, on host: String, _ step: inout AgentStep) {
        let key = PartKey(host: host, allocation: directive.allocation)
        guard let part = part(key) else {
            insert(new(directive), key, &step)
            if part(key)?.phase == .accepted { drives.enqueue(.start(key)) }
            return
        }
        // A stop is final: an allocation that was asked to stop is not brought back by a later run.
        let isStop = directive.action == .stop || part.directive.action == .stop
        update(key, &step) {
            $0.directive = directive
            $0.directive.action = isStop ? .stop : .run
            $0.listed = true
        }
        switch part.phase {
        case .ended:
            // The controllers still list it: they did not take the end for this generation yet.
            update(key, &step) { $0.revise() }
        case .accepted where isStop: end(key, .neverStarted, &step)
        case .starting where isStop, .running where isStop: requestStop(key, &step)
        case .accepted, .launching, .starting, .running, .stopping: break
        }
    }

    private func new(_ directive: PartDirective) -> PartState {
        let phase: PartState.Phase =
            switch directive.action {
            case .stop: .ended(.neverStarted)
            case .run where canRun: .accepted
            case .run:
                .ended(PartEnd(outcome: .failed, message: "the host is observed only: it has no runtime"))
            }
        return PartState(directive: directive, phase: phase, listed: true)
    }

    /// Absence deletes nothing: what runs goes on and is reported. Only what never started is dropped.
    private mutating func unlist(_ key: PartKey, _ step: inout AgentStep) {
        update(key, &step) { $0.listed = false }
        if part(key)?.phase == .accepted { end(key, .neverStarted, &step) }
    }

    private mutating func confirm(_ name: String, _ connection: Connection, _ step: inout AgentStep) {
        hosts[name]?.confirmedBy = connection.incarnation
        let keys = (hosts[name]?.parts.keys.sorted() ?? []).map { PartKey(host: name, allocation: $0) }
        forget(keys, &step)
    }

    /// Drops parts that ended, whose end the controllers have, and that they no longer list.
    mutating func forget(_ keys: [PartKey], _ step: inout AgentStep) {
        let gone = keys.filter { key in
            guard let host = hosts[key.host], let part = host.parts[key.allocation] else { return false }
            let isConfirmed = host.confirmedBy != nil && host.confirmedBy == connection?.incarnation
            return part.isEnded && part.acknowledged && !part.listed && isConfirmed
        }
        guard !gone.isEmpty else { return }
        for key in gone {
            hosts[key.host]?.parts[key.allocation] = nil
            step.forget(key)
        }
        step.act(.forget(gone))
    }

    private mutating func count(_ refusal: AssignmentRefusal) {
        switch refusal {
        case .older: metrics.refusedOlder += 1
        case .conflictingHash, .wrongHash: metrics.refusedHash += 1
        case .epochNotGreeted, .unknownHost: metrics.refusedOther += 1
        }
    }

    /// Reports all parts of a host, with the generation that is held, after an order for it was refused.
    private mutating func restate(_ name: String, _ step: inout AgentStep) {
        guard let host = hosts[name], host.isCarried else { return }
        for allocation in host.parts.keys.sorted() {
            update(PartKey(host: name, allocation: allocation), &step) { $0.revise() }
        }
    }
}
