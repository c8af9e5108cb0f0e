public import Fleet

extension VMRequest {
    /// The part `vm` of a VM as its document says.
    ///
    /// - Parameters:
    ///   - resources: those of the spec, or of the flavor that it names.
    ///   - devices: likewise.
    ///   - queuedAt: place in the queue; the VM's creation when nil.
    public init(
        metadata: Metadata, spec: VMSpec, resources: Resources, devices: [DeviceRequest],
        queuedAt: Timestamp? = nil
    ) {
        self.init(
            workload: WorkloadReference(
                kind: .vm, uid: metadata.uid, project: metadata.project ?? "", name: metadata.name, part: "vm"
            ),
            workloadGeneration: metadata.generation, pool: spec.pool, resources: resources, devices: devices,
            class: spec.class ?? .standard, hostSelector: spec.hostSelector ?? [:],
            antiAffinity: spec.antiAffinity, onPartition: spec.onPartition ?? .keep,
            lifetimeHint: spec.lifetimeHintSeconds.map { .seconds($0) },
            queuedAt: queuedAt ?? metadata.createdAt)
    }
}
