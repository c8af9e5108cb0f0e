/// Lifetimes on a logarithmic scale. Half open: an hour is `hours`. What is said of hours here is the paper's
/// scale; a `LifetimeLadder` may have others.
public enum LifetimeClass: Int, Sendable, Hashable, Codable, CaseIterable, Comparable {
    /// Below 1 h.
    case minutes = 1
    /// 1 to 10 h.
    case hours
    /// 10 to 100 h.
    case days
    /// 100 h and more.
    case weeks
    /// The last of a ladder of five.
    case months

    private static let hour = 3600.0

    /// The class of a lifetime.
    public init(seconds: Double) {
        self =
            switch seconds {
            case ..<Self.hour: .minutes
            case ..<(10 * Self.hour): .hours
            case ..<(100 * Self.hour): .days
            default: .weeks
            }
    }

    /// Longest lifetime of the class, seconds; 1000 h for the last, which has no end.
    public var longestSeconds: Double {
        switch self {
        case .minutes: Self.hour
        case .hours: 10 * Self.hour
        case .days: 100 * Self.hour
        case .weeks, .months: 1000 * Self.hour
        }
    }

    /// One class up, as far as there is one.
    var longer: LifetimeClass { LifetimeClass(rawValue: rawValue + 1) ?? .months }
    /// One class down, as far as there is one.
    var shorter: LifetimeClass { LifetimeClass(rawValue: rawValue - 1) ?? .minutes }

    /// Such as `10 h to 100 h`.
    public var words: String {
        switch self {
        case .minutes: "below 1 h"
        case .hours: "1 h to 10 h"
        case .days: "10 h to 100 h"
        case .weeks, .months: "100 h and more"
        }
    }

    public static func < (lhs: LifetimeClass, rhs: LifetimeClass) -> Bool { lhs.rawValue < rhs.rawValue }
}
