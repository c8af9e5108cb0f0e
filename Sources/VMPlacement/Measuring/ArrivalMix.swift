public import Fleet

/// How often each size was asked for lately, in hours that are forgotten one by one: as much as a busy day
/// needs, however many VMs come.
public struct ArrivalMix: Sendable {
    /// Hours that count: a day.
    private static let hours: Int64 = 24
    /// Sizes that are told apart in one hour; users ask for few.
    private static let sizesPerHour = 256
    /// Sizes of the mix: the most frequent ones.
    private static let sizes = 16

    private var counts: [Int64: [Resources: Int]] = [:]
    private var latest = Int64.min

    public init() {}

    /// - Parameter time: on the fleet clock.
    public mutating func note(_ shape: Resources, at time: Timestamp) {
        let hour = Self.hour(time)
        if hour > latest {
            latest = hour
            counts = counts.filter { $0.key > hour - Self.hours }
        }
        guard hour > latest - Self.hours else { return }
        if let known = counts[hour], known[shape] == nil, known.count >= Self.sizesPerHour { return }
        counts[hour, default: [:]][shape, default: 0] += 1
    }

    private static func hour(_ time: Timestamp) -> Int64 { time.microseconds / 3_600_000_000 }

    /// The mix of the last day, by size.
    public func shares(at now: Timestamp) -> [ShapeShare] {
        var sums: [Resources: Int] = [:]
        for (hour, sizes) in counts where hour > Self.hour(now) - Self.hours {
            for (shape, count) in sizes { sums[shape, default: 0] += count }
        }
        let bySize = sums.map { ShapeShare($0.key, weight: $0.value) }.sorted {
            ($0.shape.milliCPU, $0.shape.memoryMiB) < ($1.shape.milliCPU, $1.shape.memoryMiB)
        }
        guard bySize.count > Self.sizes else { return bySize }
        let least = bySize.map(\.weight).sorted(by: >)[Self.sizes - 1]
        return Array(bySize.filter { $0.weight >= least }.prefix(Self.sizes))
    }
}
