internal import AgentProtocol
internal import FaultLab
public import FaultSeam
internal import Fleet

/// A runtime that refuses starts, or does not let go of what moves away, while the seam says so. Fence
/// deadlines are the shims' and hold all the same.
public struct SeamedRuntime: VMRuntime {
    private let runtime: any VMRuntime
    private let seam: FaultSeam
    private let clock: any AgentClock
    private let unit: @Sendable () -> Double

    private static let lookEvery = Duration.milliseconds(100)

    /// - Parameter unit: chance, 0 to 1.
    public init(
        _ runtime: any VMRuntime, seam: FaultSeam, clock: any AgentClock,
        unit: @escaping @Sendable () -> Double
    ) {
        self.runtime = runtime
        self.seam = seam
        self.clock = clock
        self.unit = unit
    }

    public var substrate: String { runtime.substrate }

    public func parts() async throws(RuntimeError) -> [RuntimePart] { try await runtime.parts() }

    public func start(_ start: PartStart) async throws(RuntimeError) {
        if let fault = seam.fault(.vmStartFailure), unit() < fault.parameters.probability ?? 0.5 {
            throw .refused(fault.parameters.value ?? "no space left on device")
        }
        try await runtime.start(start)
    }

    /// A VM whose copy never ends is not stopped here, whoever asks.
    public func stop(_ key: PartKey) async throws(RuntimeError) {
        while try await isStuck(key) {
            do {
                try await clock.sleep(until: clock.now().advanced(by: Self.lookEvery))
            } catch {
                throw .indeterminate("the copy has not ended")
            }
        }
        try await runtime.stop(key)
    }

    private func isStuck(_ key: PartKey) async throws(RuntimeError) -> Bool {
        let names = Set(seam.faults(.migrationStuck).map(\.target.name))
        guard !names.isEmpty, let part = try await runtime.parts().first(where: { $0.key == key }) else {
            return false
        }
        let workload = part.directive.workload
        return names.contains(workload.name) || names.contains("\(workload.project)/\(workload.name)")
    }

    public func forget(_ keys: [PartKey]) async throws(RuntimeError) { try await runtime.forget(keys) }

    public func renew(_ renewal: LeaseRenewal) { runtime.renew(renewal) }

    public func changes() async throws -> RuntimeChanges { try await runtime.changes() }
}
