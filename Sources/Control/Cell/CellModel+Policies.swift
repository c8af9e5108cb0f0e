internal import Fleet
internal import Foundation
internal import Store
internal import VMPlacement

/// A policy document as engines use it.
struct PolicyRecord: Equatable {
    var version: PolicyVersion
    var spec: PolicySpec

    /// Nil for a policy of a type that this program does not know: a newer one wrote it, for an engine that
    /// is not here.
    init?(_ resource: Resource) {
        // why: all else that could be wrong was refused when it was written
        guard let spec = try? JSONDecoder().decode(PolicySpec.self, from: Data(resource.spec.utf8)) else {
            return nil
        }
        self.spec = spec
        version = PolicyVersion(name: resource.metadata.name, version: resource.metadata.generation)
    }
}

extension CellModel {
    /// Reads what is chosen from: the cell's pools, flavors, models and policies.
    mutating func readCatalogue(from store: any Store) async throws {
        for pool in try await store.all(.pool, cell: name) {
            put(
                pool: pool.metadata.name,
                try JSONDecoder().decode(PoolSpec.self, from: Data(pool.spec.utf8)))
            poolRecords[pool.metadata.name] = PoolRecord(pool)
        }
        for (name, flavor) in try await store.specs(FlavorSpec.self) { put(flavor: name, flavor) }
        for resource in try await store.all(.model) {
            models[resource.metadata.name] = ModelRecord(resource)
        }
        for policy in try await store.all(.policy) {
            policies[policy.metadata.name] = PolicyRecord(policy)
        }
    }

    /// The policy document that a pool's VMs are placed by; nil for a built-in policy.
    func placementDocument(ofPool name: String) -> PolicyRecord? {
        pools[name]?.policies?.placement.flatMap { policies[$0] }
    }

    /// What the VMs of a pool are placed by.
    func placementPolicy(ofPool name: String?) -> PlacementPolicy {
        guard let name else { return .bestFit }
        return placementDocument(ofPool: name)?.spec.placement?.score ?? pools[name]?.placement ?? .bestFit
    }

    /// Policies that pools try in the shadow.
    func shadowPolicies() -> [String: PlacementPolicy] { pools.compactMapValues(\.shadow) }

    /// Policies of the pools that have one, and the documents they come from, for a plan.
    func placementPolicies() -> (policies: [String: PlacementPolicy], documents: [String: PolicyVersion]) {
        let own = pools.filter { $0.value.placement != nil || $0.value.policies?.placement != nil }
        return (
            own.keys.reduce(into: [:]) { $0[$1] = placementPolicy(ofPool: $1) },
            own.keys.reduce(into: [:]) { $0[$1] = placementDocument(ofPool: $1)?.version }
        )
    }
}
