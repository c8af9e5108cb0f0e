import AgentProtocol
import Fleet

extension AgentState {
    /// Makes the calls that are due.
    mutating func dispatchCalls(_ step: inout AgentStep) {
        switch session {
        case .ended: break
        case .greeting(var call):
            guard call.isReady(at: step.now) else { return }
            call.status = .inFlight
            session = .greeting(call)
            metrics.hellos += 1
            greetedAt = step.now
            step.act(.hello(hello()))
        case .connected(var connection):
            if connection.poll.isReady(at: step.now) {
                connection.poll.status = .inFlight
                connection.polledAt = step.now
                step.act(
                    .poll(
                        PollRequest(
                            incarnation: connection.incarnation, cursor: connection.cursor,
                            waitSeconds: connection.limits.pollSeconds)))
            }
            dispatchReport(&connection, &step)
            session = .connected(connection)
        }
    }

    var nextCallDeadline: MonotonicTime? {
        switch session {
        case .ended: nil
        case .greeting(let call): call.nextDeadline
        case .connected(let connection):
            [connection.poll.nextDeadline, reportDeadline(connection)].compactMap { $0 }.min()
        }
    }

    /// Says what every host is and runs. What changes from here on is reported after the answer.
    private mutating func hello() -> HelloRequest {
        dirty.removeAll()
        isInventoryStale = false
        let hellos = inventories.map { found -> HostHello in
            let host = hosts[found.name] ?? HostState()
            let parts = host.parts.sorted { $0.key < $1.key }.map { allocation, part in
                report(PartKey(host: found.name, allocation: allocation), part, host, complete: true)
            }
            var inventory = found.inventory
            // Whatever the source says: without a runtime nothing can be placed there.
            if !canRun { inventory.substrate = SubstrateName.observe }
            return HostHello(
                name: found.name, inventory: inventory, generation: host.accepted?.generation,
                parts: parts)
        }
        return HelloRequest(version: configuration.version, hosts: hellos)
    }

    mutating func greeted(_ response: HelloResponse, _ step: inout AgentStep) {
        guard case .greeting(var call) = session else { return }
        if let defect = response.lease.defect {
            // Without safe times two copies of a part could run, so there is no session at all.
            step.act(.notice(.unsafeLease(defect)))
            call.fail(until: step.now.advanced(by: configuration.backoff.cap))
            session = .greeting(call)
            return
        }
        step.act(.notice(.greeted(incarnation: response.incarnation, epoch: response.epoch)))
        session = .connected(Connection(response, sentAt: greetedAt))
        let refused = Set(response.refused.map(\.name))
        for host in response.refused { step.act(.notice(.hostRefused(host))) }
        for found in inventories {
            let isRefused = refused.contains(found.name)
            hosts[found.name]?.isRefused = isRefused
            guard !isRefused, let parts = hosts[found.name]?.parts else { continue }
            for allocation in parts.keys
            where !dirty.contains(PartKey(host: found.name, allocation: allocation)) {
                hosts[found.name]?.parts[allocation]?.acknowledged = true
            }
        }
        // It changed while the hello was under way.
        if isInventoryStale { greetAgain(step.now) }
    }

    /// Takes over what the hosts of the session are now, and tells it with a hello of its own. Hosts that the
    /// session did not begin with are not carried, and those that are not named stay as they were.
    mutating func replaceInventories(_ found: [InventoriedHost], _ step: inout AgentStep) {
        let byName = Dictionary(found.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let before = inventories
        inventories = before.map { byName[$0.name] ?? $0 }
        guard inventories != before else { return }
        isInventoryStale = true
        if case .connected = session { greetAgain(step.now) }
    }

    /// Goes back to hello; later answers of this incarnation are ignored. After a short wait, as a control
    /// plane that is never content would otherwise be greeted in a tight loop.
    mutating func greetAgain(_ now: MonotonicTime) {
        session = .greeting(CallState(status: .waiting(until: retryTime(afterFailures: 1, now))))
    }

    mutating func failed(_ call: AgentCall, _ error: ControlPlaneError, _ step: inout AgentStep) {
        switch (session, call) {
        case (.greeting(var state), .hello):
            if supersede(error, &step) { return }
            delay(&state, call, error, &step)
            session = .greeting(state)
        case (.connected(var connection), .poll(let incarnation)) where incarnation == connection.incarnation:
            if supersede(error, &step) { return }
            delay(&connection.poll, call, error, &step)
            session = .connected(connection)
            restart(after: error, connection.poll)
        case (.connected(var connection), .report(let incarnation))
        where incarnation == connection.incarnation:
            if supersede(error, &step) { return }
            delay(&connection.report, call, error, &step)
            session = .connected(connection)
            restart(after: error, connection.report)
        default: break  // An answer to an earlier incarnation.
        }
    }

    private mutating func supersede(_ error: ControlPlaneError, _ step: inout AgentStep) -> Bool {
        guard error == .superseded else { return false }
        session = .ended
        step.act(.exit(.superseded))
        return true
    }

    private mutating func delay(
        _ state: inout CallState, _ call: AgentCall, _ error: ControlPlaneError, _ step: inout AgentStep
    ) {
        metrics.retries += 1
        step.act(.notice(.callFailed(call, error, failures: state.failures + 1)))
        switch error {
        case .unavailable, .superseded:
            state.fail(until: retryTime(afterFailures: state.failures + 1, step.now))
        case .unauthorized, .refused:
            // Only somebody's action changes the answer, so there is no hurry; workloads go on meanwhile.
            state.fail(until: step.now.advanced(by: configuration.backoff.cap))
        }
    }

    /// The controllers refused what they were told, so the two sides disagree: begin again with hello.
    private mutating func restart(after error: ControlPlaneError, _ call: CallState) {
        if case .refused = error { session = .greeting(call) }
    }

    mutating func retryTime(afterFailures failures: Int, _ now: MonotonicTime) -> MonotonicTime {
        now.advanced(by: backoff.wait(afterFailures: failures, unit: random.nextUnit()))
    }

    /// The configured waits, within what the lease leaves: a session that waits longer than it renews would
    /// be fenced by an outage shorter than its lease.
    private var backoff: Backoff {
        guard let connection else { return configuration.backoff }
        let cap = min(configuration.backoff.cap, .seconds(connection.lease.renewEverySeconds))
        return Backoff(first: min(configuration.backoff.first, cap), cap: cap)
    }

    /// How long a report may stay unanswered; leaves room for two more tries before the fence deadline.
    var reportTimeout: Duration {
        guard let connection else { return configuration.callTimeout }
        return min(configuration.callTimeout, .seconds(connection.lease.stopAfterSeconds / 3))
    }
}

extension CallState {
    /// When a tick can make the call; nil when it is under way or may be made now.
    var nextDeadline: MonotonicTime? {
        if case .waiting(let until) = status { until } else { nil }
    }
}
