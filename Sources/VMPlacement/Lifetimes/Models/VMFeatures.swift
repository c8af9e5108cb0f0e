public import Fleet

/// What a prediction of a VM's lifetime goes by, beside its uptime: what is known when it is created.
public struct VMFeatures: Sendable, Hashable {
    /// CPU as sold, and memory.
    public var resources: Resources
    /// Spot VMs live otherwise than others.
    public var `class`: WorkloadClass
    /// Whose VM it is: tenants differ more than sizes do.
    public var project: String
    /// Expected time from start to deletion, seconds, when the owner knows.
    public var hintSeconds: Double?
    /// What else is known when it is created, such as the application it belongs to: models name what they
    /// look at.
    public var attributes: [String: String]

    public init(
        resources: Resources, class: WorkloadClass = .standard, project: String = "",
        hintSeconds: Double? = nil, attributes: [String: String] = [:]
    ) {
        self.resources = resources
        self.class = `class`
        self.project = project
        self.hintSeconds = hintSeconds
        self.attributes = attributes
    }

    /// Those of a VM that waits.
    public init(_ request: VMRequest) {
        self.init(
            resources: request.resources, class: request.class, project: request.workload.project,
            hintSeconds: request.lifetimeHint?.inSeconds, attributes: request.attributes)
    }

    /// Those that an allocation shows; the owner's hint is not among them.
    public init(_ allocation: Allocation) {
        self.init(
            resources: allocation.resources, class: allocation.class, project: allocation.workload.project)
    }
}
