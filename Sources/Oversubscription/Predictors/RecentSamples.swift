/// The latest samples of one VM, the newest first.
public struct RecentSamples: Sendable, Hashable {
    private let capacity: Int
    private var usages: [Double] = []
    private var limits: [Double] = []
    private var newest = -1

    /// - Parameter capacity: samples kept, at least one.
    public init(capacity: Int) { self.capacity = max(1, capacity) }

    public var count: Int { usages.count }

    public mutating func append(usage: Double, limit: Double) {
        newest = (newest + 1) % capacity
        if usages.count < capacity {
            usages.append(usage)
            limits.append(limit)
        } else {
            usages[newest] = usage
            limits[newest] = limit
        }
    }

    /// Usage `age` samples before the newest, in cores.
    public func usage(age: Int) -> Double { usages[place(age)] }

    /// The limit of that time, in cores.
    public func limit(age: Int) -> Double { limits[place(age)] }

    private func place(_ age: Int) -> Int { (newest - age + count) % count }

    /// Shares of the limit of their time, in no order that matters.
    public var shares: [Double] { usages.indices.map { limits[$0] > 0 ? usages[$0] / limits[$0] : 0 } }

    /// Cores, in no order that matters.
    public var cores: [Double] { usages }
}
