internal import Fleet

/// What the parts of one replica run.
struct ServingTemplate {
    private let spec: ServingDeploymentSpec
    private let group: ServingPlanSummary.Group
    private let addressName: (String) -> String

    /// - Parameter addressName: of a host, as others reach it.
    init(
        _ spec: ServingDeploymentSpec, _ group: ServingPlanSummary.Group,
        _ addressName: @escaping (String) -> String
    ) {
        self.spec = spec
        self.group = group
        self.addressName = addressName
    }

    /// - Parameter rank: of the part, from 0.
    /// - Returns: nil where the deployment runs nothing.
    func task(rank: Int) -> PartTask? {
        guard let run = spec.run else { return nil }
        let values = values(rank: rank)
        var filled = CommandTemplate.filled(run, values)
        // For programs that look there rather than at their arguments.
        let own = [
            "BASALT_GROUP": values[.group], "BASALT_PORT": values[.port], "BASALT_RANK": values[.rank],
            "BASALT_RANKS": values[.ranks], "BASALT_HEAD": values[.head],
        ].compactMapValues { $0 }
        filled.env = own.merging(filled.env ?? [:]) { _, given in given }
        return PartTask(run: filled, image: spec.image)
    }

    private func values(rank: Int) -> [CommandPlaceholder: String] {
        let host = group.hosts.indices.contains(rank) ? group.hosts[rank] : ""
        return [
            .model: spec.model, .group: group.name,
            .port: ReplicaAddress(group.address).map { String($0.port) } ?? "",
            .host: addressName(host), .rank: String(rank), .ranks: String(group.hosts.count),
            .head: addressName(group.hosts.first ?? ""),
            .tensor: String(group.stages.map(\.width).max() ?? 1), .pipeline: String(group.stages.count),
            .layers: group.stages.map { String($0.layers) }.joined(separator: ","),
            .devices: group.devices(on: host).joined(separator: ","), .slots: String(group.slots),
            .contextTokens: String(group.contextTokens), .kvBits: String(spec.kvBits ?? 16),
            .role: group.role.rawValue,
        ]
    }
}
