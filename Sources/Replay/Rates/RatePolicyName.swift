public import Oversubscription

/// A policy of rates under the name that users give it.
public struct RatePolicyName: NamedForm {
    /// As typed, such as `recent:7d`.
    public let text: String
    public let policy: RatePolicy

    /// What can be typed.
    public static let forms = [
        "oracle", "static:SHARE", "grid:pNN", "scope:pNN", "same-hour:DAYSd", "recent:HOURSh", "recent:DAYSd",
        "pinball:Q", "expectile:Q", "proto-rate:RISK",
    ]
    public static let usualForm = "recent:7d"

    /// There is no more before the first decision.
    private static let hourLimit = RateSplit.lookBack

    public init(text: String, policy: RatePolicy) {
        self.text = text
        self.policy = policy
    }

    public static func meaning(_ text: String) -> RatePolicy? {
        if text == "oracle" { return .oracle }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 else { return nil }
        switch parts[0] {
        case "static":
            return Double(parts[1]).flatMap { (0...1).contains($0) ? .constant($0) : nil }
        case "grid": return PercentileName.share(parts[1]).map { .commonPercentile($0) }
        case "scope": return PercentileName.share(parts[1]).map { .scopePercentile($0) }
        case "same-hour":
            return hours(parts[1]).flatMap { $0 % 24 == 0 ? .sameHour(days: $0 / 24) : nil }
        case "pinball": return share(parts[1]).map { .regression(.pinball($0)) }
        case "expectile": return share(parts[1]).map { .regression(.expectile($0)) }
        case "proto-rate": return share(parts[1]).map { .protoRate(ProtoRateSettings(target: $0)) }
        case "recent": return hours(parts[1]).map { .recent(hours: $0) }
        default: return nil
        }
    }

    /// Neither none nor all.
    private static func share(_ text: String) -> Double? {
        Double(text).flatMap { $0 >= 0.0001 && $0 <= 0.9999 ? $0 : nil }
    }

    /// `24h` or `7d`, at most a week.
    private static func hours(_ text: String) -> Int? {
        guard let unit = ["h": 1, "d": 24][String(text.suffix(1))], let count = Int(text.dropLast()),
            count >= 1, count <= hourLimit / unit
        else { return nil }
        return count * unit
    }
}
