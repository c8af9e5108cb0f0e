/// One model per pool that has its own, and one for the rest.
public struct PoolModels: LifetimeModel {
    private let pools: [String: any LifetimeModel]
    private let otherwise: any LifetimeModel

    /// - Parameter pools: by name of the pool that VMs ask for.
    public init(pools: [String: any LifetimeModel], otherwise: any LifetimeModel) {
        self.pools = pools
        self.otherwise = otherwise
    }

    public func expectedRemaining(uptime: Double, of features: VMFeatures) -> Double {
        (pools[features.pool] ?? otherwise).expectedRemaining(uptime: uptime, of: features)
    }
}
