internal import FaultLab
internal import Synchronization

/// How a link between an agent and the controllers is.
struct LinkCondition: Sendable, Equatable {
    var isPartitioned = false
    var losesAnswers = false
    /// Of one request or answer.
    var loss = 0.0
    var duplication = 0.0
    var delay = Duration.zero
    /// Of reports alone.
    var reportLoss = 0.0
}

/// How the store is.
struct StoreCondition: Sendable, Equatable {
    var isDown = false
    var isReadOnly = false
    /// Writes wait for a lock until they give up.
    var isLocked = false
    /// Share of calls that get no connection.
    var exhaustion = 0.0
    var conflict = 0.0
    var unknownOutcome = 0.0
    /// Of an unknown outcome; drawn when nil.
    var commits: Bool?
    /// At most, per call.
    var delay = Duration.zero
}

/// What the faults that are in force add up to.
final class Conditions: Sendable {
    private struct State {
        var active: [Int: Fault] = [:]
        var links: [LinkCondition]
        var startFailures: [Double]
        var store = StoreCondition()
    }

    private let machines: [MachineName]
    private let state: Mutex<State>

    init(machines: [MachineName]) {
        self.machines = machines
        state = Mutex(
            State(
                links: Array(repeating: LinkCondition(), count: machines.count),
                startFailures: Array(repeating: 0, count: machines.count)))
    }

    var store: StoreCondition { state.withLock { $0.store } }
    func link(_ machine: Int) -> LinkCondition { state.withLock { $0.links[machine] } }
    /// Share of starts that fail on a machine.
    func startFailure(_ machine: Int) -> Double { state.withLock { $0.startFailures[machine] } }

    func add(_ fault: Fault) { change { $0[fault.id] = fault } }
    func remove(_ fault: Fault) { change { $0[fault.id] = nil } }

    private func change(_ body: (inout [Int: Fault]) -> Void) {
        state.withLock { state in
            body(&state.active)
            let faults = state.active.values.sorted { $0.id < $1.id }
            state.store = faults.reduce(into: StoreCondition()) { $0.take($1) }
            for (index, machine) in machines.enumerated() {
                let here = faults.filter { machine.isHit(by: $0.target) }
                state.links[index] = here.reduce(into: LinkCondition()) { $0.take($1) }
                state.startFailures[index] =
                    here.filter { $0.kind == .vmStartFailure }.map { $0.parameters.probability ?? 0.5 }.max()
                    ?? 0
            }
        }
    }
}

extension MachineName {
    func isHit(by target: FaultTarget) -> Bool {
        switch target.component {
        case .link, .agent, .host: target.name == host
        case .rack: target.name == rack
        default: false
        }
    }
}

extension LinkCondition {
    mutating func take(_ fault: Fault) {
        let parameters = fault.parameters
        switch fault.kind {
        case .linkPartition, .rackPartition: isPartitioned = true
        case .linkAnswerLoss: losesAnswers = true
        case .linkLoss: loss = max(loss, parameters.probability ?? 0.3)
        case .linkDuplicate: duplication = max(duplication, parameters.probability ?? 0.3)
        case .linkDelay: delay = max(delay, .seconds(parameters.delaySeconds ?? 1))
        case .heartbeatDrop: reportLoss = max(reportLoss, parameters.probability ?? 1)
        default: break
        }
    }
}

extension StoreCondition {
    mutating func take(_ fault: Fault) {
        let parameters = fault.parameters
        switch fault.kind {
        case .storeOutage, .storeRestart: isDown = true
        case .storeReadOnly: isReadOnly = true
        case .storeLockHeld: isLocked = true
        case .storeConnectionsExhausted, .storeRoleLimit:
            exhaustion = max(exhaustion, parameters.probability ?? 0.5)
        case .storeConflict: conflict = max(conflict, parameters.probability ?? 0.3)
        case .storeOutcomeUnknown:
            unknownOutcome = max(unknownOutcome, parameters.probability ?? 0.3)
            commits = parameters.commits
        case .storeSlow: delay = max(delay, .seconds(parameters.delaySeconds ?? 1))
        default: break
        }
    }
}
