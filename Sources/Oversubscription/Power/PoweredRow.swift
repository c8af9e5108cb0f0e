/// A row whose servers follow what a guard asks, each command when its time has come.
public struct PoweredRow: Sendable {
    /// What a group of servers does at its clock.
    private struct Group {
        var clock: Double?
    }

    private let clocks: ClockTable
    /// Share of a server's power that its GPUs draw; clocks change nothing of the rest.
    private let gpuShare: Double
    private var groups: [PowerPriority: Group] = [.low: Group(), .high: Group()]
    private var isBraked = false
    private var pending: [PowerCommand] = []

    public init(clocks: ClockTable, gpuShare: Double) {
        self.clocks = clocks
        self.gpuShare = gpuShare
    }

    public mutating func send(_ commands: [PowerCommand]) { pending += commands }

    /// Lets time pass.
    public mutating func advance(to now: Int) {
        guard !pending.isEmpty else { return }
        for command in pending where command.effectiveAt <= now {
            switch command.action {
            case .clock(let priority, let megahertz): groups[priority]?.clock = megahertz
            case .brake(let on): isBraked = on
            }
        }
        pending.removeAll { $0.effectiveAt <= now }
    }

    /// Share of the power and of the throughput that is left of a group.
    public func point(_ priority: PowerPriority, brakeClock: Double) -> (power: Double, speed: Double) {
        let clock = isBraked ? brakeClock : groups[priority]?.clock
        guard let clock else { return (1, 1) }
        let point = clocks.at(clock)
        return (1 - gpuShare * (1 - point.power), point.speed)
    }
}
