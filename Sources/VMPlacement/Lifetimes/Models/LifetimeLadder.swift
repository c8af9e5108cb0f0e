/// Which lifetimes make a class, and how a host's class moves.
public struct LifetimeLadder: Sendable, Hashable {
    /// What notes of hosts name it by.
    let name: String
    /// Longest lifetime of each class, hours, ascending; the last class has no end, and a deadline all the
    /// same.
    private let hours: [Double]
    /// Whether a host's class never falls below the class of what is left of it, and rises no further: where
    /// a class alone would say less than the predictions do.
    let followsExits: Bool

    /// The paper's: below 1, 10 and 100 h, and beyond; up and down by one.
    public static let paper = LifetimeLadder(name: "paper", hours: [1, 10, 100, 1000], followsExits: false)

    /// Below 0.5, 3, 18 and 108 h, and beyond: steps of six, and hosts whose class follows their exits.
    public static let fine = LifetimeLadder(name: "fine", hours: [0.5, 3, 18, 108, 648], followsExits: true)

    /// The class of a lifetime.
    func lifetimeClass(seconds: Double) -> LifetimeClass {
        let index = hours.dropLast().firstIndex { seconds < $0 * 3600 } ?? hours.count - 1
        return LifetimeClass(rawValue: index + 1) ?? .weeks
    }

    /// Seconds. A class above the ladder's, remembered from another one, is its last.
    func longestSeconds(of lifetimeClass: LifetimeClass) -> Double {
        hours[min(lifetimeClass.rawValue, hours.count) - 1] * 3600
    }

    /// One class up, as far as there is one.
    func longer(than lifetimeClass: LifetimeClass) -> LifetimeClass {
        lifetimeClass.rawValue < hours.count ? lifetimeClass.longer : lifetimeClass
    }
}
