internal import ArgumentParser
internal import FaultSeam
internal import Logging
internal import NodeAgent

/// Flags of fault tests.
struct SeamOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Fault tests: do to this agent what the files in this directory say.", valueName: "dir",
            visibility: .hidden))
    var faultSeam: String?

    /// Nil without the flag: nothing is watched then.
    func open(_ logger: Logger) throws -> FaultSeam? {
        guard let faultSeam else { return nil }
        logger.warning("\(FaultSeam.warning)", metadata: ["faultSeam": "\(faultSeam)"])
        return try FaultSeam(faultSeam)
    }
}

extension AgentParts {
    /// These parts, failing when the seam says so.
    func failing(
        by seam: FaultSeam?, clock: any AgentClock, unit: @escaping @Sendable () -> Double
    ) -> AgentParts {
        guard let seam else { return self }
        var parts = self
        parts.inventory = SeamedInventory(inventory, seam: seam)
        parts.runtime = runtime.map { SeamedRuntime($0, seam: seam, clock: clock, unit: unit) }
        return parts
    }
}
