/// The calls an agent makes. Agents dial, controllers never do; one implementation speaks HTTP, another joins
/// both sides inside one process.
public protocol ControlPlane: Sendable {
    func hello(_ request: HelloRequest) async throws -> HelloResponse
    func poll(_ request: PollRequest) async throws -> PollResponse
    func report(_ request: ReportRequest) async throws -> ReportResponse
    /// Answers a question that came with a poll.
    func answer(_ answer: LogAnswer) async throws
}

/// Why a call to the control plane failed, as far as an agent must tell cases apart.
public enum ControlPlaneError: Error, Sendable, Equatable {
    /// Nobody answered, or answered that it cannot now; try again.
    case unavailable(String)
    /// Another process took the session over; stop acting, without stopping workloads.
    case superseded
    /// The credential is not known or was revoked.
    case unauthorized(String)
    /// The request itself is refused; repeating it is useless.
    case refused(code: String, message: String)
}
