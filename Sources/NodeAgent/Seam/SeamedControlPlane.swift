public import AgentProtocol
internal import FaultLab
public import FaultSeam

/// A control plane to which reports get lost, or come twice, while the seam says so.
public struct SeamedControlPlane: ControlPlane {
    private let controlPlane: any ControlPlane
    private let seam: FaultSeam
    private let clock: any AgentClock
    private let unit: @Sendable () -> Double

    private static let lookEvery = Duration.milliseconds(50)

    /// - Parameter unit: chance, 0 to 1.
    public init(
        _ controlPlane: any ControlPlane, seam: FaultSeam, clock: any AgentClock,
        unit: @escaping @Sendable () -> Double
    ) {
        self.controlPlane = controlPlane
        self.seam = seam
        self.clock = clock
        self.unit = unit
    }

    public func hello(_ request: HelloRequest) async throws -> HelloResponse {
        try await controlPlane.hello(request)
    }

    public func poll(_ request: PollRequest) async throws -> PollResponse {
        try await controlPlane.poll(request)
    }

    public func answer(_ answer: LogAnswer) async throws { try await controlPlane.answer(answer) }

    public func report(_ request: ReportRequest) async throws -> ReportResponse {
        if let fault = seam.fault(.heartbeatDrop), unit() < fault.parameters.probability ?? 1 {
            // Nothing says that it got lost but that no answer comes.
            while seam.fault(.heartbeatDrop) != nil {
                try await clock.sleep(until: clock.now().advanced(by: Self.lookEvery))
            }
            throw ControlPlaneError.unavailable("the report got lost")
        }
        let answer = try await controlPlane.report(request)
        if let fault = seam.fault(.linkDuplicate), unit() < fault.parameters.probability ?? 0.3 {
            // why `try?`: nobody hears the answer to the second copy.
            _ = try? await controlPlane.report(request)
        }
        return answer
    }
}
