public import Fleet

extension HostSnapshot {
    /// The host as its document, its status and its pool say.
    ///
    /// - Parameters:
    ///   - generation: `host.generation` of the ledger.
    ///   - pool: spec of the pool that `spec.pool` names.
    public init(metadata: Metadata, spec: HostSpec, status: HostStatus, generation: Int, pool: PoolSpec) {
        let inventory = status.inventory
        self.init(
            id: metadata.uid, name: metadata.name, generation: generation, pool: spec.pool,
            poolAdmitsVMs: pool.admits.contains(.vm), contact: status.contact,
            isSchedulable: spec.isSchedulable, capacity: inventory.capacity, reserved: inventory.reserved,
            cpuRatioPerMille: pool.cpuRatioPerMille ?? 1000,
            // What an operator wrote wins over what the agent found.
            labels: inventory.labels.merging(metadata.labels) { _, own in own }, domain: inventory.domain,
            devices: inventory.devices)
    }
}
