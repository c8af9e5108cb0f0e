public import AgentProtocol
internal import Fleet
public import Oversubscription

/// Measures what the hosts of a session and their parts use.
public protocol UsageSource: Sendable {
    /// Use since the call before, hosts sorted by name. One caller at a time; the first call may know nothing
    /// yet and give no hosts.
    func sample() async throws -> [HostSample]
}

/// Holds parts back.
public protocol UsageThrottle: Sendable {
    /// The quotas of a host, all of them: parts that are not named may use what they have.
    func setQuotas(_ quotas: [PartKey: Double], host: String) async throws
}

/// One host over the interval that ends with the sample.
public struct HostSample: Sendable, Equatable {
    public var host: String
    /// That VMs may use.
    public var cores: Double
    /// Its time is that of the agent's wall clock.
    public var signals: HostSignals
    public var parts: [PartSample]

    public init(host: String, cores: Double, signals: HostSignals, parts: [PartSample]) {
        self.host = host
        self.cores = cores
        self.signals = signals
        self.parts = parts
    }
}

/// One part over the same interval.
public struct PartSample: Sendable, Equatable {
    public var key: PartKey
    public var directive: PartDirective
    /// Cores in use.
    public var used: Double

    public init(key: PartKey, directive: PartDirective, used: Double) {
        self.key = key
        self.directive = directive
        self.used = used
    }
}

extension PartDirective {
    /// Only VMs are slowed or moved by a guard; one whose class is not told is left alone.
    var promise: GuardedVM.Promise {
        guard workload.kind == .vm else { return .guaranteed }
        switch self.class {
        case .spot: return .spot
        case .standard: return .standard
        case .guaranteed, nil: return .guaranteed
        }
    }
}
