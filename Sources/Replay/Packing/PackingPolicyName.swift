public import Oversubscription

/// A packing policy under the name that users give it.
public struct PackingPolicyName: NamedForm {
    /// As typed, such as `window:6x4h:p95`.
    public let text: String
    public let policy: PackingPolicy

    /// What can be typed.
    public static let forms = [
        "static:RATIO", "pNN", "max", "window:COUNTxHOURSh:pNN", "window:COUNTxHOURSh:max", "aligned:MARGIN",
        "chance:RISK", "cantelli:RISK", "hoeffding:RISK", "n-sigma:COUNT", "proto-rate:RISK",
    ]
    public static let usualForm = "p99"

    public init(text: String, policy: PackingPolicy) {
        self.text = text
        self.policy = policy
    }

    public static func meaning(_ text: String) -> PackingPolicy? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let number = parts.count == 2 ? Double(parts[1]) : nil
        switch parts[0] {
        case "static": return number.flatMap { (0.01...1000).contains($0) ? .ratio($0) : nil }
        case "aligned": return number.flatMap { (0.01...100).contains($0) ? .aligned(margin: $0) : nil }
        case "n-sigma": return number.flatMap { (0...1000).contains($0) ? .sigmas($0) : nil }
        case "proto-rate":
            return number.flatMap {
                (0.0001...0.9999).contains($0) ? .protoRate(ProtoRateSettings(target: $0)) : nil
            }
        case "chance": return number.flatMap { isChance($0) ? .chance(.gaussian, $0) : nil }
        case "cantelli": return number.flatMap { isChance($0) ? .chance(.cantelli, $0) : nil }
        case "hoeffding": return number.flatMap { isChance($0) ? .chance(.hoeffding, $0) : nil }
        case "window" where parts.count == 3: return windows(parts[1], parts[2])
        default: return parts.count == 1 ? PercentileName.share(text).map { .percentile($0) } : nil
        }
    }

    private static func isChance(_ value: Double) -> Bool { value >= 1e-12 && value < 1 }

    /// Windows cover the day: `6x4h`.
    private static func windows(_ shape: String, _ percentile: String) -> PackingPolicy? {
        let sides = shape.split(separator: "x", omittingEmptySubsequences: false)
        guard sides.count == 2, let count = Int(sides[0]), sides[1].hasSuffix("h"),
            let hours = Int(sides[1].dropLast()), count > 0, hours > 0, count <= 24, count * hours == 24,
            let share = PercentileName.share(percentile)
        else { return nil }
        return .windows(count, percentile: share)
    }
}

/// Percentiles as users type them.
enum PercentileName {
    /// Reads `p95`, `p99.9` and `max`.
    static func share(_ text: String) -> Double? {
        if text == "max" { return 1 }
        guard text.hasPrefix("p"), let percent = Double(text.dropFirst()), (0...100).contains(percent) else {
            return nil
        }
        return percent / 100
    }
}
