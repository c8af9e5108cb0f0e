import AgentProtocol
import Fleet
internal import Foundation
import Oversubscription

extension GuardNote {
    /// - Parameter names: of workloads, by what the guard calls them.
    init(_ event: GuardEvent, names: [String: String]) {
        self.init(
            at: Timestamp(seconds: Double(event.at)), before: event.before.level, after: event.after.level,
            cause: Cause(event.cause), message: event.sentence(names), ask: event.action?.ask)
    }
}

extension GuardAction {
    /// What is for the controllers to do.
    fileprivate var ask: GuardAsk? {
        switch self {
        case .migrate(let vm): ID<Allocation>(vm).map { GuardAsk(.migrate, $0) }
        case .evict(let vm): ID<Allocation>(vm).map { GuardAsk(.evict, $0) }
        case .freezeAdmissions, .admit, .throttle, .lift, .page: nil
        }
    }
}

extension GuardNote.Cause {
    fileprivate init(_ cause: GuardEvent.Cause) {
        switch cause {
        case .hot: self = .hot
        case .calm: self = .calm
        case .stale: self = .stale
        case .regulation: self = .regulation
        }
    }
}

extension GuardEvent {
    /// What was done, and by which signals: `takes no more VMs: run delay 31 % (use 98 %, …)`.
    fileprivate func sentence(_ names: [String: String]) -> String {
        func name(_ vm: String) -> String { names[vm] ?? vm }
        let deed =
            switch action {
            case .freezeAdmissions: "takes no more VMs"
            case .admit: "takes VMs again"
            case .throttle(let quotas):
                "holds \(quotas.count) spot VMs to \(Self.number(quotas.reduce(0) { $0 + $1.cores })) cores"
            case .lift: "holds no VM back any more"
            case .migrate(let vm): "asks that \(name(vm)) moves away"
            case .evict(let vm): "asks that \(name(vm)) stops"
            case .page: "asks for a person: nothing is left to do here"
            case nil: "asks for no more VMs to go"
            }
        guard let signals else { return deed }
        let seen = HostSignals.Signal.allCases.map { "\($0.words) \(Self.percent(signals[$0]))" }
        let why = cause == .hot ? hot.map(\.words).joined(separator: " and ") + " too high" : cause.rawValue
        return "\(deed): \(why) (\(seen.joined(separator: ", ")))"
    }

    private static func percent(_ share: Double) -> String { String(format: "%.0f %%", share * 100) }

    private static func number(_ value: Double) -> String { String(format: "%.1f", value) }
}

extension HostSignals.Signal {
    fileprivate var words: String {
        switch self {
        case .use: "use"
        case .pressure: "pressure"
        case .steal: "steal"
        case .runDelay: "run delay"
        case .guaranteedRunDelay: "run delay of guaranteed VMs"
        }
    }
}
