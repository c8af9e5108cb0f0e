/// What is known against a device, and what is to be done about it.
public struct DeviceVerdict: Sendable, Hashable, Codable {
    /// What a device needs, from nothing much to a person with a screwdriver: NVIDIA's buckets of actions,
    /// as far as a control plane must tell them apart.
    public enum Action: String, Sendable, Hashable, Codable, CaseIterable, Comparable {
        /// Someone should look when there is time; the device works.
        case investigate
        /// What ran on it failed or has to be started anew; the device works.
        case restartWorkload
        /// It works, and worse than it should: heat, power, links.
        case inspectHost
        /// It has to be reset, and nothing may run on it then.
        case resetDevice
        /// Only a restart of the machine brings it back.
        case restartHost
        /// It has to be mended or replaced.
        case repairHost

        public static func < (lhs: Action, rhs: Action) -> Bool { lhs.rank < rhs.rank }

        private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

        /// How the device is while the action is due.
        public var health: Device.Health {
            switch self {
            case .investigate, .restartWorkload: .healthy
            case .inspectHost, .resetDevice: .degraded
            case .restartHost, .repairHost: .failed
            }
        }

        /// Whether the host is emptied for it.
        public var takesHost: Bool { self >= .restartHost }
    }

    public enum Limit {
        /// Reasons that are told; the gravest are.
        public static let reasons = 4
        /// Characters of a reason.
        public static let reasonLength = 160
    }

    public var action: Action
    /// Such as `XID 79: GPU has fallen off the bus`; the gravest first.
    public var reasons: [String]
    /// When the gravest was first seen, by the clock of the host.
    public var since: Timestamp

    public init(action: Action, reasons: [String], since: Timestamp) {
        self.action = action
        self.reasons = reasons
        self.since = since
    }

    /// In one line.
    public var sentence: String { reasons.joined(separator: "; ") }
}
