/// An action that does not put a problem right, though the fleet may look well after it.
public struct RejectRule: Sendable, Hashable, Codable {
    public enum Objects: String, Sendable, Hashable, Codable {
        case any
        /// What is at fault, or its host.
        case target
        case other
    }

    public var verbs: [ActionVerb]
    public var on: Objects
    /// Distinct objects that it may be done to; nil is none.
    public var upTo: Int?
    /// Of the mitigation, 0 to 1, when nothing worse was done.
    public var credit: Double
    /// Whether healthy work was harmed.
    public var isHarm: Bool
    /// For the report.
    public var because: String

    public init(
        _ verbs: [ActionVerb], on: Objects, upTo: Int? = nil, credit: Double, isHarm: Bool, because: String
    ) {
        self.verbs = verbs
        self.on = on
        self.upTo = upTo
        self.credit = credit
        self.isHarm = isHarm
        self.because = because
    }

    /// What is never a repair, whatever is wrong.
    public static let always = [
        RejectRule(
            [.deleteWorkload], on: .any, credit: 0, isHarm: true,
            because: "A workload that a tenant wants was deleted."),
        RejectRule(
            [.silenceAlert], on: .any, credit: 0, isHarm: false, because: "An alert was silenced."),
        RejectRule(
            [.fence, .rebootHost], on: .other, credit: 0, isHarm: true,
            because: "A sound host was powered off."),
        RejectRule(
            [.restartAgent, .upgradeAgent, .restartController, .restartWorkload, .drain, .resetGPU],
            on: .other, upTo: 3, credit: 0, isHarm: true, because: "Sound parts were restarted by the dozen."),
        RejectRule(
            [.requestRepair, .rollbackPolicy, .rollbackModel, .failoverDatabase], on: .any, upTo: 4,
            credit: 0, isHarm: true, because: "Repairs were asked for of everything."),
    ]

    /// Where nothing is wrong every change is one too many.
    public static let whereNothingIsWrong = [
        RejectRule(
            ActionVerb.allCases.filter { $0.signature.access == .write }, on: .any, credit: 0, isHarm: true,
            because: "Nothing was wrong, and the fleet was changed.")
    ]

    /// Whether more was done of it than is allowed.
    public func isBroken(by writes: [WriteAction], _ truth: Truth) -> Bool {
        Set(writes.filter { matches($0, truth) }.map(\.object)).count > upTo ?? 0
    }

    func matches(_ write: WriteAction, _ truth: Truth) -> Bool {
        guard verbs.contains(write.verb) else { return false }
        return switch on {
        case .any: true
        case .target: truth.concerns(write.object)
        case .other: !truth.concerns(write.object)
        }
    }
}

extension Truth {
    /// Whether an object is at fault, or stands on the host that is, or is the host.
    func concerns(_ object: ComponentName) -> Bool {
        holds(object)
            || (components + also).contains { component in
                guard let host = component.host ?? component.ends.first else { return false }
                return host.means(object.host ?? object)
            }
    }
}
