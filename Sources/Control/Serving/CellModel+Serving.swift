internal import Fleet
internal import Store

extension CellModel {
    /// Serving deployments, sorted.
    var deployments: [ID<Document>] {
        parted.filter { $0.value is ServingDeploymentRecord }.keys.sorted()
    }

    func deployment(_ uid: ID<Document>) -> ServingDeploymentRecord? {
        parted[uid] as? ServingDeploymentRecord
    }

    mutating func edit(deployment uid: ID<Document>, _ change: (inout ServingDeploymentRecord) -> Void) {
        guard var record = deployment(uid) else { return }
        change(&record)
        parted[uid] = record
    }

    func host(named name: String) -> HostRecord? { hosts.values.first { $0.name == name } }

    /// Label of a host that names it where its own name means nothing to others.
    static let addressLabel = "address"

    /// Name or address under which others reach a host.
    var addressName: @Sendable (String) -> String {
        let labels = Dictionary(
            hosts.values.compactMap { host in host.labels[Self.addressLabel].map { (host.name, $0) } },
            uniquingKeysWith: { first, _ in first })
        return { labels[$0] ?? $0 }
    }
}
