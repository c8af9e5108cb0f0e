/// What one policy of rates saved and what it risked.
public struct RateResult: Sendable, Hashable, Codable {
    /// As typed.
    public var policy: String
    /// Share of the hours of all scopes in which the peak was above the decided share.
    public var risk: Double
    /// By how much of the peak the share was too small, mean over all hours of all scopes.
    public var severity: Double
    /// Share of the vCPUs that needed no core, mean over all hours of all scopes.
    public var benefit: Double
}
