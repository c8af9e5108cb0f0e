internal import AgentProtocol
internal import Fleet
internal import Synchronization

/// Holds parts of this machine back by the CPU quota of their control groups.
///
/// A part is let go by the quota that it was sold. What an agent before this one held back and did not let
/// go is found by that too: the first call sets every part that runs.
final class ProcessThrottle: UsageThrottle {
    private let substrate: ProcessSubstrate
    /// Milli-vCPUs as last set; nil before the first call.
    private let held = Mutex<[ID<Allocation>: Int]?>(nil)

    init(substrate: ProcessSubstrate) { self.substrate = substrate }

    func setQuotas(_ quotas: [PartKey: Double], host: String) throws {
        let running = try substrate.parts().filter { $0.state == .running && $0.key.host == host }
        let before = held.withLock { $0 }
        var after: [ID<Allocation>: Int] = [:]
        var first: (any Error)?
        for part in running {
            let allocation = part.key.allocation
            let sold = part.directive.resources.milliCPU
            let quota = quotas[part.key].map { min(sold, Int(($0 * 1000).rounded())) } ?? sold
            after[allocation] = quota
            // A part that began since has what it was sold.
            guard quota != before?[allocation] ?? (before == nil ? nil : sold) else { continue }
            do {
                try substrate.bounds.setQuota(allocation, milliCPU: quota)
            } catch {
                // One that just ended is no reason to let the others go on.
                first = first ?? error
                after[allocation] = before?[allocation]
            }
        }
        held.withLock { [after] in $0 = after }
        if let first { throw first }
    }
}
