/// What one VM was and where it ran: what models learn from and what policies are tried on afterwards. VMs
/// that never had a host have none.
public struct VMHistoryRecord: Sendable, Hashable, Codable {
    /// Time on one host.
    public struct Stay: Sendable, Hashable, Codable {
        /// Name of the host; its uid when it is gone.
        public var host: String
        /// On the fleet clock, as the rest.
        public var from: Timestamp
        /// Nil while it is there.
        public var until: Timestamp?

        public init(host: String, from: Timestamp, until: Timestamp? = nil) {
            self.host = host
            self.from = from
            self.until = until
        }
    }

    public var uid: ID<Document>
    public var project: String
    public var name: String
    public var cell: String
    /// Pool that it asked for, else that of its last host.
    public var pool: String
    /// As they were last.
    public var labels: [String: String]
    public var `class`: WorkloadClass
    public var resources: Resources
    public var devices: Int
    public var lifetimeHintSeconds: Int?
    /// When it got its first host, on the fleet clock.
    public var startedAt: Timestamp
    /// When its last host was free of it; nil while it runs.
    public var endedAt: Timestamp?
    /// In the order of time.
    public var stays: [Stay]

    public init(
        uid: ID<Document>, project: String, name: String, cell: String, pool: String,
        labels: [String: String] = [:], class: WorkloadClass = .standard, resources: Resources,
        devices: Int = 0, lifetimeHintSeconds: Int? = nil, startedAt: Timestamp, endedAt: Timestamp? = nil,
        stays: [Stay] = []
    ) {
        self.uid = uid
        self.project = project
        self.name = name
        self.cell = cell
        self.pool = pool
        self.labels = labels
        self.class = `class`
        self.resources = resources
        self.devices = devices
        self.lifetimeHintSeconds = lifetimeHintSeconds
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.stays = stays
    }

    /// Fleet time for which ended VMs are kept.
    public static let retention = Duration.seconds(45 * 86_400)
    /// Ended VMs that are kept at most, of all cells: about 300 MB.
    public static let limit = 500_000
}
