public import Fleet

extension VMRequest {
    /// The part `vm` of a VM as its document says.
    ///
    /// - Parameters:
    ///   - resources: those of the spec, or of the flavor that it names.
    ///   - devices: likewise.
    ///   - startedAt: fleet time at which it began to live; nil for a new one.
    ///   - gang: with whom it is placed, when its group says so.
    ///   - queuedAt: place in the queue; the VM's creation when nil.
    public init(
        metadata: Metadata, spec: VMSpec, resources: Resources, devices: [DeviceRequest],
        startedAt: Timestamp? = nil, gang: GangMember? = nil, queuedAt: Timestamp? = nil
    ) {
        self.init(
            workload: WorkloadReference(
                kind: .vm, uid: metadata.uid, project: metadata.project ?? "", name: metadata.name, part: "vm"
            ),
            workloadGeneration: metadata.generation, pool: spec.pool, resources: resources, devices: devices,
            class: spec.class ?? .standard, hostSelector: spec.hostSelector ?? [:],
            antiAffinity: spec.antiAffinity, onPartition: spec.onPartition ?? .keep,
            lifetimeHint: spec.lifetimeHintSeconds.map { .seconds($0) },
            attributes: VMFeatures.attributes(ofLabels: metadata.labels),
            startedAt: startedAt, gang: gang, queuedAt: queuedAt ?? metadata.createdAt)
    }
}
