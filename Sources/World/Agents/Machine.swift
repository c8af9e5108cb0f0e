internal import AgentProtocol
internal import Control
internal import FaultLab
internal import Fleet
internal import Logging
internal import NodeAgent
internal import Synchronization

/// A host with its agent: its disk outlives the agent, its workloads outlive the agent and not the power.
final class Machine: Sendable {
    private struct State {
        var boot = 1
        /// When the power came on; monotonic time counts from here.
        var bootedAt: Int64 = 0
        /// Of the wall clock.
        var offset: Int64 = 0
        /// Nil while it is on. Kept until the next start has noted it.
        var poweredOffAt: Int64?
        var isOff = false
        var startAt: Int64 = 0
        var starts = 0
        var missing = 0
        var process: SimulatedProcess?
        var runtime: MachineRuntime?
        var watch: DeviceHealthWatch?
        var history = RunHistory()
    }

    static let directory = "agent"
    /// After an agent has ended by itself, as a supervisor of services does.
    private static let restartAfter: Int64 = 5_000_000

    let name: MachineName
    let index: Int
    let credential: String
    let world: World
    private let disk = MemoryDisk()
    private let kernelLog = MachineKernelLog()
    private let deviceMemory = DeviceHealthMemory.Slot()
    private let spec: SimulatedFleetSpec
    private let state = Mutex(State())

    init(name: MachineName, index: Int, world: World) {
        self.name = name
        self.index = index
        self.world = world
        credential = "credential-\(name.host)"
        spec = SimulatedFleetSpec(
            count: 1, namePrefix: "unused", capacity: Resources(milliCPU: 64_000, memoryMiB: 262_144),
            reserved: Resources(milliCPU: 2000, memoryMiB: 4096), seed: world.configuration.seed)
    }

    // MARK: Clocks

    /// Microseconds since the power came on.
    var uptime: Int64 { world.clock.now - state.withLock { $0.bootedAt } }
    var boot: Int { state.withLock { $0.boot } }
    var wall: Timestamp { world.clock.wall.advanced(by: .microseconds(state.withLock { $0.offset })) }
    func worldTime(atUptime uptime: Int64) -> Int64 { uptime + state.withLock { $0.bootedAt } }

    /// Moves the wall clock; nothing else notices.
    func shiftWall(by duration: Duration) {
        readJournal()
        state.withLock { $0.offset += duration.microseconds }
    }

    // MARK: Life

    /// Runs agents until cancelled.
    func run() async {
        while !Task.isCancelled {
            do { try await world.clock.sleep(until: state.withLock { $0.startAt }) } catch { return }
            // It may have been postponed meanwhile.
            guard state.withLock({ $0.startAt }) <= world.clock.now else { continue }
            await runAgent()
        }
    }

    private func runAgent() async {
        let process = SimulatedProcess(clock: world.clock)
        let clock = MachineClock(machine: self, process: process)
        let (start, off, offset) = state.withLock { state -> (Int, Int64?, Int64) in
            if state.isOff {
                state.isOff = false
                state.boot += 1
                state.bootedAt = world.clock.now
            }
            state.starts += 1
            state.process = process
            state.runtime = nil
            defer { state.poweredOffAt = nil }
            return (state.starts, state.poweredOffAt, state.offset)
        }
        world.trace.note(.agentStarted, name.host, "start \(start)")
        do {
            let substrate = try SimulatedSubstrate.open(
                directory: Self.directory, spec: spec, clock: clock,
                poweredOffAt: off.map { VirtualClock.origin.advanced(by: .microseconds($0 + offset)) },
                disk: disk)
            let runtime = MachineRuntime(substrate: substrate, machine: self, process: process)
            state.withLock { $0.runtime = runtime }
            runtime.schedule()
            let watch = name.hasDevices ? watch(clock) : nil
            state.withLock { $0.watch = watch }
            let agent = Agent(
                configuration: AgentConfiguration(version: "world"), stateDirectory: Self.directory,
                controlPlane: AgentLink(machine: self, process: process), inventory: watch ?? self,
                runtime: runtime, devices: watch, clock: clock,
                seed: world.seed(for: "\(name.host).\(start)"), disk: disk,
                logger: world.logger(name.host))
            let trace = world.trace
            let host = name.host
            await process.run {
                do {
                    try await agent.work()
                } catch {
                    trace.note(.agentEnded, host, "\(error)")
                }
            }
        } catch {
            world.fail("agent of \(name.host) does not start: \(error)")
        }
        state.withLock { state in
            if !process.isDead { state.startAt = max(state.startAt, world.clock.now + Self.restartAfter) }
        }
        process.kill()
    }

    /// Ends the agent; its workloads and their shims go on.
    func crashAgent(until time: Int64) {
        let process = state.withLock { state in
            state.startAt = max(state.startAt, time)
            return state.process
        }
        process?.kill()
    }

    func stallAgent(until time: Int64) { state.withLock { $0.process }?.stall(until: time) }

    /// The power goes, and with it everything that runs.
    func powerOff(until time: Int64) {
        let runtime = state.withLock { state -> MachineRuntime? in
            if !state.isOff {
                state.isOff = true
                state.poweredOffAt = world.clock.now
            }
            defer { state.runtime = nil }
            return state.runtime
        }
        // Ends that lay before count as they were.
        runtime?.retire()
        crashAgent(until: time)
    }

    /// What judges the machine's devices; it looks when the kernel has said something, and when it starts.
    private func watch(_ clock: MachineClock) -> DeviceHealthWatch {
        let (log, memory) = (kernelLog, DeviceHealthMemory.memory(deviceMemory))
        return DeviceHealthWatch(
            inventory: self, sources: { _ in .init(log: log, counters: nil, memory: memory) }, clock: clock,
            logger: world.logger(name.host))
    }

    /// The kernel writes a line to its log.
    func say(_ line: String) {
        kernelLog.append(line)
        let (watch, process) = state.withLock { ($0.watch, $0.process) }
        if process?.isDead == false { watch?.look() }
    }

    /// Devices that the agent does not find; it looks when it starts.
    func loseDevices(_ count: Int) { state.withLock { $0.missing = count } }

    var runtime: MachineRuntime? { state.withLock { $0.runtime } }
    var isOff: Bool { state.withLock { $0.isOff } }

    // MARK: Journal

    /// When parts ran here. What ended long ago is left out.
    func runs(endedAfter: Timestamp) -> [RunEvidence] {
        readJournal()
        let (history, off) = state.withLock { state in
            state.history.forget(endedBefore: endedAfter)
            return (state.history, state.poweredOffAt)
        }
        let end = off.map { VirtualClock.origin.advanced(by: .microseconds($0)) }
        return history.evidence(cutAt: end)
    }

    /// Reads what the journal gained, with the offset that the clock had meanwhile.
    private func readJournal() {
        state.withLock { state in
            do {
                let (records, appends) = try RunJournal.read(
                    Self.directory, on: disk, after: state.history.appends)
                state.history.take(records, offset: state.offset)
                state.history.appends = appends
            } catch {
                world.fail("journal of \(name.host): \(error)")
            }
        }
    }
}

extension Machine: InventorySource {
    func hosts() -> [InventoriedHost] {
        let missing = state.withLock { $0.missing }
        let all = name.hasDevices ? 8 : 0
        let devices = (0..<max(0, all - missing)).map { number in
            Device(
                uuid: "GPU-\(name.host)-\(number)", model: "H100", memoryMiB: 81_920, numaNode: number / 4)
        }
        // Without devices to lose a host loses memory.
        let lost = name.hasDevices ? 0 : missing * 16_384
        return [
            InventoriedHost(
                name: name.host,
                inventory: HostInventory(
                    capacity: Resources(
                        milliCPU: spec.capacity.milliCPU, memoryMiB: spec.capacity.memoryMiB - lost),
                    reserved: spec.reserved, devices: devices,
                    domain: FailureDomain(zone: name.zone, rack: name.rack),
                    substrate: SubstrateName.simulated))
        ]
    }
}
