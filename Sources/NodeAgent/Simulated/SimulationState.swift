import AgentProtocol
import Fleet

/// Hypervisors and shims of a whole fleet as a value: what it does depends on its calls and their times only.
///
/// Time moves by `advance`, which plays latencies and fence deadlines in their order, at their own times, so
/// it does not matter how late or how rarely it is called.
struct SimulationState: Sendable {
    private enum Timer: Sendable {
        case begun(ID<Allocation>)
        case stopped(ID<Allocation>)
        case trained(ID<Allocation>)
    }

    let spec: SimulatedFleetSpec
    /// Seconds of training per second.
    let trainingSpeed: Double
    private(set) var parts: [ID<Allocation>: SimulatedPart] = [:]
    private(set) var unreachable: [String] = []
    private var deadlines = FenceDeadlines()
    private var timers = DeadlineQueue<Timer>()
    /// Parts that do not outlive their host's deadline, by host.
    private var fenceable: [String: Set<ID<Allocation>>] = [:]
    /// The earliest deadline of a host in `fenceable`.
    private var nextFence: MonotonicTime?
    private var events: [SimulatedEvent] = []
    private var changes: [ID<Allocation>] = []

    init(spec: SimulatedFleetSpec, trainingSpeed: Double = 1) {
        self.spec = spec
        self.trainingSpeed = trainingSpeed
    }

    var nextDue: MonotonicTime? { [timers.nextDue, nextFence].compactMap { $0 }.min() }

    /// What the last calls did, in order of time.
    mutating func takeEvents() -> [SimulatedEvent] {
        defer { events = [] }
        return events
    }

    /// Allocations that changed since the last call; repeats are possible.
    mutating func takeChanges() -> [ID<Allocation>] {
        defer { changes = [] }
        return changes
    }

    // MARK: Calls

    mutating func start(_ start: PartStart, at now: MonotonicTime) throws(RuntimeError) {
        let allocation = start.key.allocation
        if let known = parts[allocation] {
            guard known.key == start.key else { throw .refused("started before on \(known.key.host)") }
            changes.append(allocation)
            return
        }
        if start.directive.onPartition == .stop {
            guard let deadline = deadlines.deadline(of: start.key.host), deadline > now else {
                throw .refused("the fence deadline has passed")
            }
        }
        let part = SimulatedPart(
            key: start.key, directive: start.directive, state: .starting, startedAt: now)
        events.append(SimulatedEvent(time: now, part: part, event: .start, reason: .directive))
        run(part)
    }

    mutating func stop(_ key: PartKey, at now: MonotonicTime) throws(RuntimeError) {
        guard let part = parts[key.allocation], part.key == key else { throw .unknownPart }
        if part.isEnded {
            changes.append(key.allocation)
        } else if !part.isStopping {
            parts[key.allocation]?.isStopping = true
            let fate = SimulatedFate(of: key.allocation, spec: spec)
            timers.insert(.stopped(key.allocation), due: now.advanced(by: fate.stopLatency))
        }
    }

    mutating func forget(_ keys: [PartKey], at now: MonotonicTime) {
        for key in keys {
            guard let part = parts[key.allocation], part.key == key, part.isEnded else { continue }
            parts[key.allocation] = nil
            events.append(SimulatedEvent(time: now, part: part, event: .forget, reason: .directive))
        }
    }

    /// A fault: the part ends by itself.
    mutating func crash(_ allocation: ID<Allocation>, end: PartEnd, at now: MonotonicTime) {
        self.end(allocation, end, .exited, at: now)
    }

    /// A fault: the agent cannot reach the hosts; what runs there goes on until its deadline.
    mutating func setUnreachable(_ hosts: [String]) { unreachable = hosts.sorted() }

    var fence: FenceDeadlines { deadlines }

    mutating func setFence(_ deadlines: FenceDeadlines) {
        self.deadlines = deadlines
        nextFence = fenceable.keys.compactMap { deadlines.deadline(of: $0) }.min()
    }

    // MARK: Time

    /// Plays everything that is due at `now`.
    mutating func advance(to now: MonotonicTime) {
        while true {
            if let fence = nextFence, fence <= now, timers.nextDue.map({ fence <= $0 }) ?? true {
                holdFence(at: fence)
            } else if let timer = timers.popFirst(through: now) {
                fire(timer.element, at: timer.due)
            } else {
                return
            }
        }
    }

    private mutating func fire(_ timer: Timer, at due: MonotonicTime) {
        switch timer {
        case .begun(let allocation):
            guard let part = parts[allocation], part.state == .starting, !part.isStopping else { return }
            if SimulatedFate(of: allocation, spec: spec).startFails {
                end(allocation, .simulatedStartFailure, .startFailed, at: due)
            } else {
                parts[allocation]?.state = .running
                changes.append(allocation)
            }
        case .stopped(let allocation): end(allocation, .asked, .directive, at: due)
        case .trained(let allocation):
            guard parts[allocation]?.isStopping == false else { return }
            end(allocation, .trained, .exited, at: due)
        }
    }

    private mutating func holdFence(at fence: MonotonicTime) {
        let hosts = fenceable.keys.filter { deadlines.deadline(of: $0).map { $0 <= fence } ?? false }
        for allocation in hosts.flatMap({ fenceable[$0] ?? [] }).sorted() {
            end(allocation, .fenced, .fenced, at: fence)
        }
        nextFence = fenceable.keys.compactMap { deadlines.deadline(of: $0) }.min()
    }

    private mutating func end(
        _ allocation: ID<Allocation>, _ end: PartEnd, _ reason: RunRecord.Cause, at time: MonotonicTime
    ) {
        guard var part = parts[allocation], !part.isEnded else { return }
        part.state = .ended(end)
        part.endedAt = time
        parts[allocation] = part
        fenceable[part.key.host]?.remove(allocation)
        if fenceable[part.key.host]?.isEmpty == true { fenceable[part.key.host] = nil }
        events.append(SimulatedEvent(time: time, part: part, event: .stop, reason: reason))
        changes.append(allocation)
    }

    private mutating func run(_ part: SimulatedPart) {
        let allocation = part.key.allocation
        parts[allocation] = part
        let fate = SimulatedFate(of: allocation, spec: spec)
        timers.insert(.begun(allocation), due: part.startedAt.advanced(by: fate.startLatency))
        if !fate.startFails, let rank = rank(part) { timers.insert(.trained(allocation), due: rank.doneAt) }
        guard part.directive.onPartition == .stop else { return }
        fenceable[part.key.host, default: []].insert(allocation)
        guard let deadline = deadlines.deadline(of: part.key.host) else { return }
        nextFence = min(nextFence ?? deadline, deadline)
    }

    /// What a part trains; nil for one that trains nothing.
    func rank(_ part: SimulatedPart) -> SimulatedRank? {
        let latency = SimulatedFate(of: part.key.allocation, spec: spec).startLatency
        return SimulatedRank(
            part, begunAt: part.startedAt.advanced(by: latency), speed: trainingSpeed)
    }

    // MARK: Restart

    /// Takes up a part from the journal; `adoptLive` follows.
    mutating func restore(_ part: SimulatedPart) {
        if part.isEnded { parts[part.key.allocation] = part } else { run(part) }
    }

    /// A fault: every machine was switched off at that time, and is on again.
    mutating func powerOff(at time: MonotonicTime) {
        advance(to: time)
        for allocation in parts.keys.sorted() { end(allocation, .poweredOff, .exited, at: time) }
    }

    /// Plays what happened while no process was there, then notes what still runs.
    mutating func adoptLive(at now: MonotonicTime) {
        advance(to: now)
        for part in parts.values.filter({ !$0.isEnded }).sorted(by: { $0.key < $1.key }) {
            events.append(SimulatedEvent(time: now, part: part, event: .adopt, reason: .restart))
        }
    }
}

extension PartEnd {
    static let asked = PartEnd(outcome: .stopped, exitCode: 0)
    static let fenced = PartEnd(
        outcome: .stopped, message: "the fence deadline passed without a renewal of the lease")
    static let poweredOff = PartEnd(outcome: .stopped, message: "the machine was switched off")
    static let trained = PartEnd(outcome: .stopped, exitCode: 0, message: "all steps are done")
    static let simulatedStartFailure = PartEnd(
        outcome: .failed, message: "simulated start failure")
}
