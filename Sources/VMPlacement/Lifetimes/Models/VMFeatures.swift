public import Fleet

/// What a prediction of a VM's lifetime goes by, beside its uptime: what is known when it is created.
///
/// Placement, what is learned of VMs that ended, and training on the history of a fleet all make it in one
/// place, so that a model is asked what it was taught.
public struct VMFeatures: Sendable, Hashable {
    /// CPU as sold, and memory.
    public var resources: Resources
    /// Spot VMs live otherwise than others.
    public var `class`: WorkloadClass
    /// Whose VM it is: tenants differ more than sizes do.
    public var project: String
    /// Pool that it asks for, which decides which model is asked; models do not look at it. Empty for any.
    public var pool: String
    /// Expected time from start to deletion, seconds, when the owner knows.
    public var hintSeconds: Double?
    /// What else is known when it is created, such as the application it belongs to: models name what they
    /// look at. Names in lower case.
    public var attributes: [String: String]

    public init(
        resources: Resources, class: WorkloadClass = .standard, project: String = "", pool: String = "",
        hintSeconds: Double? = nil, attributes: [String: String] = [:]
    ) {
        self.resources = resources
        self.class = `class`
        self.project = project
        self.pool = pool
        self.hintSeconds = hintSeconds
        self.attributes = attributes
    }

    /// Those of a VM that waits.
    public init(_ request: VMRequest) {
        self.init(
            resources: request.resources, class: request.class, project: request.workload.project,
            pool: request.pool ?? "", hintSeconds: request.lifetimeHint?.inSeconds,
            attributes: request.attributes)
    }

    /// Those of a VM that has a host.
    ///
    /// - Parameters:
    ///   - metadata: of the VM, with its labels; nil when its document is gone.
    ///   - spec: likewise.
    public init(_ allocation: Allocation, metadata: Metadata? = nil, spec: VMSpec? = nil) {
        self.init(
            resources: allocation.resources, class: allocation.class, project: allocation.workload.project,
            pool: spec?.pool ?? "", hintSeconds: spec?.lifetimeHintSeconds.map(Double.init),
            attributes: Self.attributes(ofLabels: metadata?.labels ?? [:]))
    }

    /// Those of a VM of a fleet's history.
    public init(_ record: VMHistoryRecord) {
        self.init(
            resources: record.resources, class: record.class, project: record.project, pool: record.pool,
            hintSeconds: record.lifetimeHintSeconds.map(Double.init),
            attributes: Self.attributes(ofLabels: record.labels))
    }

    /// Labels as models see them: traces have the names of their columns in lower case. Of two keys that
    /// differ in case alone the last in order counts.
    public static func attributes(ofLabels labels: [String: String]) -> [String: String] {
        guard !labels.isEmpty else { return [:] }
        var attributes: [String: String] = [:]
        for (key, value) in labels.sorted(by: { $0.key < $1.key }) where !value.isEmpty {
            attributes[key.lowercased()] = value
        }
        return attributes
    }
}
