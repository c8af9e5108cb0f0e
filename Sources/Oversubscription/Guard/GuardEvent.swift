/// How far a guard has gone.
public enum GuardRung: Int, Sendable, Hashable, Codable, CaseIterable, Comparable {
    case observe, freeze, throttle, migrate, evict, page

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// What a guard asks for.
public enum GuardAction: Sendable, Hashable, Codable {
    /// The host takes no more VMs.
    case freezeAdmissions
    /// It takes VMs again.
    case admit
    /// Spot VMs may use so many cores at most, whole in every call.
    case throttle([VMQuota])
    /// VMs may use all of their cores again.
    case lift
    /// The VM should run elsewhere.
    case migrate(String)
    /// The VM, a spot one, stops.
    case evict(String)
    /// Nothing is left to do here: a person is asked.
    case page
}

/// Cores that a VM may use at most.
public struct VMQuota: Sendable, Hashable, Codable {
    public var name: String
    public var cores: Double

    public init(name: String, cores: Double) {
        self.name = name
        self.cores = cores
    }
}

/// An action, or a rung left without one, and what was seen.
public struct GuardEvent: Sendable, Hashable, Codable {
    /// Why.
    public enum Cause: String, Sendable, Hashable, Codable {
        /// Signals reached what is hot.
        case hot
        /// Signals were below for long enough.
        case calm
        /// Nothing is known of the host: it takes nothing more, and nothing harder is done.
        case stale
        /// The quotas of throttled VMs follow what the others use.
        case regulation
    }

    public var at: Int
    public var before: GuardRung
    public var after: GuardRung
    public var cause: Cause
    /// What reached its limit, the order of the thresholds.
    public var hot: [HostSignals.Signal]
    /// The latest reading; nil before the first.
    public var signals: HostSignals?
    /// nil where a rung is left that undoes nothing.
    public var action: GuardAction?

    public init(
        at: Int, before: GuardRung, after: GuardRung, cause: Cause, hot: [HostSignals.Signal] = [],
        signals: HostSignals?, action: GuardAction?
    ) {
        self.at = at
        self.before = before
        self.after = after
        self.cause = cause
        self.hot = hot
        self.signals = signals
        self.action = action
    }
}
