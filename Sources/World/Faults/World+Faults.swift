public import FaultLab
internal import Fleet
internal import NodeAgent
internal import Synchronization

extension World {
    /// Starts a fault; it ends with its lease, or with `revert`.
    ///
    /// - Returns: false for a kind that a world cannot inject, or a target that there is none of.
    @discardableResult
    public func inject(_ fault: Fault) -> Bool {
        guard FaultKind.drawn.contains(fault.kind), hasTarget(fault) else { return false }
        let end = clock.now + fault.lease.microseconds
        running.withLock { $0[fault.id] = fault }
        trace.note(.faultBegan, "\(fault.target)", "\(fault.kind) \(fault.id)")
        outcomes.began(fault, hosts: hosts(hitBy: fault), at: clock.now)
        conditions.add(fault)
        begin(fault, end: end)
        clock.at(end) { [self] in revert(fault) }
        return true
    }

    /// Ends a fault before its lease does; one that has ended stays as it is.
    public func revert(_ fault: Fault) {
        guard running.withLock({ $0.removeValue(forKey: fault.id) }) != nil else { return }
        trace.note(.faultEnded, "\(fault.target)", "\(fault.kind) \(fault.id)")
        conditions.remove(fault)
        finish(fault)
        outcomes.ended(fault, at: clock.now)
    }

    private func hasTarget(_ fault: Fault) -> Bool {
        switch fault.target.component {
        case .controller: seats.contains { $0.name == fault.target.name }
        case .store: true
        case .project: fault.target.name == Self.project
        default: machines.contains { $0.name.isHit(by: fault.target) }
        }
    }

    private func machines(hitBy fault: Fault) -> [Machine] {
        machines.filter { $0.name.isHit(by: fault.target) }
    }

    private func hosts(hitBy fault: Fault) -> [String] { machines(hitBy: fault).map(\.name.host) }

    private func begin(_ fault: Fault, end: Int64) {
        let seat = seats.first { $0.name == fault.target.name }
        switch fault.kind {
        case .controllerCrash: seat?.crash(until: end)
        case .controllerStall: seat?.stall(until: end)
        case .clockOffset: seat?.shiftWall(by: fault.wallShift)
        case _ where Mistakes.kinds.contains(fault.kind): mistakes.note(fault)
        default: break
        }
        for machine in machines(hitBy: fault) {
            switch fault.kind {
            case .agentCrash: machine.crashAgent(until: end)
            case .agentHang: machine.stallAgent(until: end)
            case .hostPowerOff: machine.powerOff(until: end)
            case .clockOffset: machine.shiftWall(by: fault.wallShift)
            case .hostUnreachable: machine.runtime?.simulated.setUnreachable([machine.name.host])
            case .vmCrashLoop: crashParts(on: machine, while: fault)
            case .wrongInventory:
                machine.loseDevices(fault.parameters.count ?? 1)
                machine.crashAgent(until: clock.now)
            default: break
            }
        }
    }

    private func finish(_ fault: Fault) {
        if fault.kind == .clockOffset {
            seats.first { $0.name == fault.target.name }?.shiftWall(by: .zero - fault.wallShift)
        }
        if Mistakes.kinds.contains(fault.kind) { mistakes.note(fault) }
        for machine in machines(hitBy: fault) {
            switch fault.kind {
            case .clockOffset: machine.shiftWall(by: .zero - fault.wallShift)
            case .hostUnreachable: machine.runtime?.simulated.setUnreachable([])
            case .wrongInventory:
                machine.loseDevices(0)
                machine.crashAgent(until: clock.now)
            default: break
            }
        }
    }

    /// One part now, and another every half minute while the fault lasts.
    private func crashParts(on machine: Machine, while fault: Fault) {
        guard running.withLock({ $0[fault.id] }) != nil else { return }
        machine.runtime?.crashOne()
        clock.at(clock.now + 30_000_000) { [self] in crashParts(on: machine, while: fault) }
    }

    /// Plays a schedule.
    func play(_ schedule: FaultSchedule) async {
        for fault in schedule.faults {
            do { try await clock.sleep(until: fault.start.microseconds) } catch { return }
            inject(fault)
        }
    }

    /// Ends every fault.
    public func revertAll() {
        for fault in running.withLock({ $0.values.sorted { $0.id < $1.id } }) { revert(fault) }
    }
}

extension Fault {
    fileprivate var wallShift: Duration { .seconds(parameters.offsetSeconds ?? 300) }
}
