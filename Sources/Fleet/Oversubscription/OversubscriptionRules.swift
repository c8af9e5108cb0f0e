/// How far the shared CPU of a scope's hosts is oversubscribed: what a policy of type oversubscription says.
///
/// Ratios are vCPUs sold per vCPU, per mille; they never touch the guaranteed class or memory.
public struct OversubscriptionRules: Sendable, Hashable, Codable {
    /// Who moves the ratio.
    public enum Mode: String, Sendable, Hashable, ClosedWord {
        /// The policy's ratio is where the scope begins; later the policy moves it no more.
        case initial
        /// The policy's ratio, as long as it stands.
        case pinned
        /// Decided from use, within the policy's bounds.
        case managed
        /// Decided and recorded, and never applied: what applies is what would without the policy.
        case shadow
    }

    public enum Algorithm: String, Sendable, Hashable, ClosedWord {
        /// A quantile of the use of each hour with a calibrated margin.
        case protoRate = "proto-rate"
    }

    /// When a person is asked before a ratio rises.
    public enum Review: String, Sendable, Hashable, ClosedWord {
        case never
        /// When the past says too little of the next hour: the first decision, drift, few residuals.
        case uncertain
        case always
    }

    /// Numbers of the algorithm; its own where absent.
    public struct Parameters: Sendable, Hashable, Codable {
        /// Shapes of days that scopes are grouped by.
        public var prototypes: Int?
        /// Strength of the regression.
        public var ridge: Double?

        public init(prototypes: Int? = nil, ridge: Double? = nil) {
            self.prototypes = prototypes
            self.ridge = ridge
        }
    }

    public var mode: Mode
    /// `proto-rate` when absent.
    public var algorithm: Algorithm?
    public var parameters: Parameters?
    /// In force while pinned; where initial begins; where managed begins, 1000 when absent.
    public var ratioPerMille: Int?
    /// Bounds of managed and shadow: 1000 and 2000 when absent.
    public var ratioMinPerMille: Int?
    public var ratioMaxPerMille: Int?
    /// Chance that an hour's peak is above what the ratio allows; 0.01 when absent.
    public var riskTarget: Double?
    /// Seconds of fleet time that one decision stands for, at least an hour; an hour when absent.
    public var windowSeconds: Int?
    /// Largest steps of one decision: 250 up and 500 down when absent.
    public var maxStepUpPerMille: Int?
    public var maxStepDownPerMille: Int?
    /// How full predicted peaks may make the shared part of a host; only the ratio counts when absent, but
    /// managed scopes always have it, 1000 when absent.
    public var maxUtilizationPerMille: Int?
    /// `uncertain` when absent.
    public var review: Review?
    /// When the policy stops to count, and that of the next wider scope does.
    public var expiresAt: Timestamp?
    /// Why it is so, for whoever finds it.
    public var reason: String?

    public init(
        mode: Mode, algorithm: Algorithm? = nil, parameters: Parameters? = nil, ratioPerMille: Int? = nil,
        ratioMinPerMille: Int? = nil, ratioMaxPerMille: Int? = nil, riskTarget: Double? = nil,
        windowSeconds: Int? = nil, maxStepUpPerMille: Int? = nil, maxStepDownPerMille: Int? = nil,
        maxUtilizationPerMille: Int? = nil, review: Review? = nil, expiresAt: Timestamp? = nil,
        reason: String? = nil
    ) {
        self.mode = mode
        self.algorithm = algorithm
        self.parameters = parameters
        self.ratioPerMille = ratioPerMille
        self.ratioMinPerMille = ratioMinPerMille
        self.ratioMaxPerMille = ratioMaxPerMille
        self.riskTarget = riskTarget
        self.windowSeconds = windowSeconds
        self.maxStepUpPerMille = maxStepUpPerMille
        self.maxStepDownPerMille = maxStepDownPerMille
        self.maxUtilizationPerMille = maxUtilizationPerMille
        self.review = review
        self.expiresAt = expiresAt
        self.reason = reason
    }
}

/// Bounds of what may be asked for.
public enum RatioLimit {
    /// From a vCPU per vCPU to sixteen, the boldest default that was ever shipped and taken back.
    public static let perMille = 1000...16_000
    /// A ratio stands for an hour at least: more often, nobody could plan capacity.
    public static let windowSeconds = 3600...604_800
    /// Of the shared part of a host.
    public static let utilizationPerMille = 1...1000
    public static let riskTarget = 0.0001...0.2
    public static let prototypes = 1...32
    /// Characters of a reason.
    public static let reason = 500
}

extension OversubscriptionRules {
    public var bounds: ClosedRange<Int> {
        let least = ratioMinPerMille ?? 1000
        return least...max(least, ratioMaxPerMille ?? 2000)
    }
    public var risk: Double { riskTarget ?? 0.01 }
    public var window: Int { windowSeconds ?? 3600 }
    public var stepUp: Int { maxStepUpPerMille ?? 250 }
    public var stepDown: Int { maxStepDownPerMille ?? 500 }
    /// Whether decisions are made of use.
    public var isLearned: Bool { mode == .managed || mode == .shadow }

    public func isInForce(at now: Timestamp) -> Bool {
        mode != .shadow && expiresAt.map { $0 > now } ?? true
    }

    public func defects(at field: String) -> [FieldDefect] {
        var found: [FieldDefect] = []
        func check<Value: Comparable>(_ name: String, _ value: Value?, _ range: ClosedRange<Value>) {
            guard let value, !range.contains(value) else { return }
            let (least, most) = (range.lowerBound, range.upperBound)
            let nearest = min(max(value, least), most)
            found.append(
                .init(
                    field: "\(field).\(name)", code: .outOfRange,
                    message:
                        "\(value) is outside \(least) to \(most); the nearest is \(nearest)"
                ))
        }
        check("ratioPerMille", ratioPerMille, RatioLimit.perMille)
        check("ratioMinPerMille", ratioMinPerMille, RatioLimit.perMille)
        check("ratioMaxPerMille", ratioMaxPerMille, RatioLimit.perMille)
        check("riskTarget", riskTarget, RatioLimit.riskTarget)
        check("windowSeconds", windowSeconds, RatioLimit.windowSeconds)
        check("maxStepUpPerMille", maxStepUpPerMille, 1...15_000)
        check("maxStepDownPerMille", maxStepDownPerMille, 1...15_000)
        check("maxUtilizationPerMille", maxUtilizationPerMille, RatioLimit.utilizationPerMille)
        check("parameters.prototypes", parameters?.prototypes, RatioLimit.prototypes)
        check("parameters.ridge", parameters?.ridge, 0...1000)
        if ratioPerMille == nil, mode == .pinned || mode == .initial {
            let message = "a policy of mode \(mode.rawValue) says which ratio"
            found.append(.init(field: "\(field).ratioPerMille", code: .required, message: message))
        }
        let most = ratioMaxPerMille ?? 2000
        if let least = ratioMinPerMille, least > most {
            found.append(
                .init(
                    field: "\(field).ratioMinPerMille", code: .conflict,
                    message: "\(least) is above ratioMaxPerMille, \(most); the nearest is \(most)"))
        }
        if let reason, reason.unicodeScalars.count > RatioLimit.reason {
            let message = "is longer than \(RatioLimit.reason) characters"
            found.append(.init(field: "\(field).reason", code: .outOfRange, message: message))
        }
        return found
    }
}
