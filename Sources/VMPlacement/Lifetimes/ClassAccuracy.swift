/// How often the class predicted for a VM was the one it lived to, over the VMs that ended in the last week.
public struct ClassAccuracy: Sendable, Hashable, Codable {
    /// What ended within one hour.
    private struct Hour: Sendable, Hashable, Codable {
        var number: Int64
        var right: Int
        var all: Int
    }

    /// Judged VMs from which on the share is told: fewer say too little.
    public static let leastEnds = 100
    private static let hourMicroseconds: Int64 = 3_600_000_000
    private static let hours: Int64 = 7 * 24

    /// In the order of time.
    private var window: [Hour] = []
    private var right = 0
    private var all = 0

    public init() {}

    /// Counts a VM that ended at `time`, microseconds.
    mutating func add(isRight: Bool, at time: Int64) {
        let number = time / Self.hourMicroseconds
        if window.last.map({ $0.number < number }) ?? true {
            window.append(Hour(number: number, right: 0, all: 0))
            forget(before: number - Self.hours)
        }
        window[window.count - 1].all += 1
        window[window.count - 1].right += isRight ? 1 : 0
        all += 1
        right += isRight ? 1 : 0
    }

    private mutating func forget(before number: Int64) {
        let old = window.prefix { $0.number <= number }
        for hour in old {
            right -= hour.right
            all -= hour.all
        }
        window.removeFirst(old.count)
    }

    /// From 0 to 1; nil while fewer than `leastEnds` VMs were judged.
    public var share: Double? { all < Self.leastEnds ? nil : Double(right) / Double(all) }
}
