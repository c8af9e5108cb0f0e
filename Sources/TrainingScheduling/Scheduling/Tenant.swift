internal import Foundation

/// Who jobs belong to; quotas form a tree.
public struct Tenant: Sendable, Hashable, Codable {
    public var name: String
    /// Index of the tenant above; less than its own.
    public var parent: Int?
    /// GPUs that guaranteed jobs of its subtree may hold.
    public var quotaGPUs: Int
    /// GPUs beyond it that they may hold while the tenant above has them free.
    public var borrowGPUs: Int
    public var weight: Double
    /// GPU-seconds held, older ones worth less.
    public var decayedUsage: Double

    public init(
        name: String, parent: Int? = nil, quotaGPUs: Int, borrowGPUs: Int = 0, weight: Double = 1,
        decayedUsage: Double = 0
    ) {
        self.name = name
        self.parent = parent
        self.quotaGPUs = quotaGPUs
        self.borrowGPUs = borrowGPUs
        self.weight = weight
        self.decayedUsage = decayedUsage
    }

    /// A tenth of what is used stays after as many half-lives as `log₂ 10`.
    public static let halfLife = 7 * 86_400.0

    /// Adds what was held in the last seconds to what is left of the rest.
    public mutating func use(gpuSeconds: Double, during seconds: Double, halfLife: Double = Tenant.halfLife) {
        decayedUsage = decayedUsage * pow(0.5, seconds / halfLife) + gpuSeconds
    }

    /// The less, the sooner its jobs come.
    var share: Double { decayedUsage / max(weight, 1e-9) }
}

/// What guaranteed jobs of each subtree hold.
struct QuotaUse: Sendable, Hashable {
    private let tenants: [Tenant]
    private(set) var held: [Int]

    init(_ tenants: [Tenant]) {
        self.tenants = tenants
        held = tenants.map { _ in 0 }
    }

    mutating func add(_ gpus: Int, to tenant: Int) {
        for index in path(tenant) { held[index] += gpus }
    }

    /// The tenant and all above it.
    private func path(_ tenant: Int) -> [Int] {
        var path: [Int] = []
        var next: Int? = tenants.indices.contains(tenant) ? tenant : nil
        while let index = next {
            path.append(index)
            next = tenants[index].parent.flatMap { $0 < index ? $0 : nil }
        }
        return path
    }

    /// GPUs that a guaranteed job of the tenant may still take: its own quota and what may be borrowed, as
    /// far as those above have it.
    func room(_ tenant: Int) -> Int {
        path(tenant).map { tenants[$0].quotaGPUs + tenants[$0].borrowGPUs - held[$0] }.min() ?? .max
    }

    /// What the tenant could ever hold.
    func most(_ tenant: Int) -> Int {
        path(tenant).map { tenants[$0].quotaGPUs + tenants[$0].borrowGPUs }.min() ?? .max
    }
}
