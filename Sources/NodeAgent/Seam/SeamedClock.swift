internal import FaultLab
public import FaultSeam
public import Fleet

/// A clock whose wall time is off while the seam says so. What leases are measured with is never touched.
public struct SeamedClock: AgentClock {
    private let clock: any AgentClock
    private let seam: FaultSeam
    /// As in a simulated world.
    private static let standardOffset = 300.0

    public init(_ clock: any AgentClock, seam: FaultSeam) {
        self.clock = clock
        self.seam = seam
    }

    public var bootID: String { clock.bootID }
    public func now() -> MonotonicTime { clock.now() }

    public func wallTime() -> Timestamp {
        let offset = seam.faults(.clockOffset).reduce(0) {
            $0 + ($1.parameters.offsetSeconds ?? Self.standardOffset)
        }
        return offset == 0 ? clock.wallTime() : clock.wallTime().advanced(by: .seconds(offset))
    }

    public func sleep(until deadline: MonotonicTime) async throws { try await clock.sleep(until: deadline) }
}
