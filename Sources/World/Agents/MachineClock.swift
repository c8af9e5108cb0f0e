internal import Fleet
internal import NodeAgent

/// The clocks of a machine as one of its processes sees them.
struct MachineClock: AgentClock {
    let machine: Machine
    let process: SimulatedProcess

    var bootID: String { "\(machine.name.host)-\(machine.boot)" }
    func now() -> MonotonicTime { MonotonicTime(microseconds: machine.uptime) }
    func wallTime() -> Timestamp { machine.wall }

    func sleep(until deadline: MonotonicTime) async throws {
        try await machine.world.clock.sleep(until: machine.worldTime(atUptime: deadline.microseconds))
        try await process.proceed()
    }

    var alarm: Alarm { process.alarm }
}
