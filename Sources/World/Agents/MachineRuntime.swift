internal import FaultLab
internal import Fleet
internal import NodeAgent
internal import Synchronization

/// The simulated substrate of a machine, moved by the world's clock, with the faults of starts.
///
/// It goes on while the agent is stopped or dead, as shims do, until the next agent opens the journal.
final class MachineRuntime: VMRuntime {
    let simulated: SimulatedSubstrate
    private let machine: Machine
    private let process: SimulatedProcess
    private let state: Mutex<(random: FaultRandom, alarm: Int64?, isRetired: Bool)>

    init(substrate: SimulatedSubstrate, machine: Machine, process: SimulatedProcess) {
        simulated = substrate
        self.machine = machine
        self.process = process
        let seed = machine.world.seed(for: "\(machine.name.host) starts")
        state = Mutex((FaultRandom(seed: seed ^ UInt64(machine.world.clock.now)), nil, false))
    }

    /// Sees to it that the substrate is there when something happens by itself.
    func schedule() {
        guard let due = simulated.nextDue else { return }
        let time = machine.worldTime(atUptime: due.microseconds)
        let isNew = state.withLock { state in
            if state.isRetired { return false }
            if let alarm = state.alarm, alarm <= time { return false }
            state.alarm = time
            return true
        }
        guard isNew else { return }
        machine.world.clock.at(time) { [self] in
            let isDue = state.withLock { state in
                if state.alarm == time { state.alarm = nil }
                return !state.isRetired
            }
            guard isDue, machine.runtime === self else { return }
            simulated.advance()
            schedule()
        }
    }

    /// The power went.
    func retire() {
        simulated.advance()
        state.withLock { $0.isRetired = true }
    }

    // MARK: Faults

    /// The first part that runs ends by itself.
    func crashOne() {
        guard let parts = try? simulated.parts(),
            let part = parts.first(where: { $0.state == .running })
        else { return }
        try? simulated.crash(part.key.allocation, exitCode: 139, message: "the guest panicked")
    }

    // MARK: VMRuntime

    var substrate: String { SubstrateName.simulated }

    func parts() async throws(RuntimeError) -> [RuntimePart] { try simulated.parts() }

    func start(_ start: PartStart) async throws(RuntimeError) {
        let probability = machine.world.conditions.startFailure(machine.index)
        if probability > 0, state.withLock({ $0.random.chance(probability) }) {
            throw .refused("no space left on device")
        }
        try simulated.start(start)
        schedule()
    }

    func stop(_ key: PartKey) async throws(RuntimeError) {
        try simulated.stop(key)
        schedule()
    }

    func forget(_ keys: [PartKey]) async throws(RuntimeError) { try simulated.forget(keys) }

    func renew(_ renewal: LeaseRenewal) {
        var renewal = renewal
        if !machine.world.configuration.holdsFences { renewal.stopAfterSeconds *= 1000 }
        simulated.renew(renewal)
        schedule()
    }

    func changes() async throws -> RuntimeChanges {
        let changes = try await simulated.changes()
        try await process.proceed()
        return changes
    }
}
