/// The plan of a serving deployment, as its status shows it.
public struct ServingPlanSummary: Sendable, Hashable, Codable {
    /// A replica of the model.
    public struct Group: Sendable, Hashable, Codable {
        /// Such as `g1`.
        public var name: String
        public var role: ServingRoutes.Role
        /// `HOST:PORT` on which its first part serves HTTP.
        public var address: String
        public var stages: [Stage]
        /// Sequences at once.
        public var slots: Int
        /// Tokens of keys and values that fit.
        public var contextTokens: Int

        public init(
            name: String, role: ServingRoutes.Role, address: String, stages: [Stage], slots: Int,
            contextTokens: Int
        ) {
            self.name = name
            self.role = role
            self.address = address
            self.stages = stages
            self.slots = slots
            self.contextTokens = contextTokens
        }

        /// Name of the part on a host: `g1`, or `g1-0`, `g1-1` of a replica on several.
        public func part(_ rank: Int) -> String { hosts.count == 1 ? name : "\(name)-\(rank)" }

        /// Each once, in the order of the stages.
        public var hosts: [String] {
            stages.reduce(into: []) { if !$0.contains($1.host) { $0.append($1.host) } }
        }

        public var parts: [String] { hosts.indices.map(part) }
    }

    /// Devices of one host that share layers.
    public struct Stage: Sendable, Hashable, Codable {
        public var host: String
        /// Type of the devices in the catalogue; `CPU` where the host has none.
        public var type: String
        /// As many as share the layers: how many CPUs' worth where the host has no devices.
        public var width: Int
        /// UUIDs, sorted; empty where the host has none.
        public var devices: [String]
        public var layers: Int

        public init(host: String, type: String, width: Int, devices: [String], layers: Int) {
            self.host = host
            self.type = type
            self.width = width
            self.devices = devices
            self.layers = layers
        }
    }

    /// `metadata.generation` that it was made for.
    public var generation: Int
    public var groups: [Group]
    public var pairs: [ServingRoutes.Pair]
    /// Share of the requests in time, by prediction.
    public var attainment: Double
    /// Requests per second of which the share that is aimed at is in time, by prediction.
    public var goodput: Double
    /// Dollars per hour of the hosts that it was made on.
    public var costPerHour: Double
    /// What it would need more of: prefill, decode, network or none.
    public var binding: String
    public var seed: UInt64
    public var evaluations: Int
    public var searchMilliseconds: Int
    /// What it was made for, where that is not what the spec expects.
    public var demand: ServingDemand?

    public init(
        generation: Int, groups: [Group], pairs: [ServingRoutes.Pair], attainment: Double,
        goodput: Double, costPerHour: Double, binding: String, seed: UInt64, evaluations: Int,
        searchMilliseconds: Int, demand: ServingDemand? = nil
    ) {
        self.generation = generation
        self.groups = groups
        self.pairs = pairs
        self.attainment = attainment
        self.goodput = goodput
        self.costPerHour = costPerHour
        self.binding = binding
        self.seed = seed
        self.evaluations = evaluations
        self.searchMilliseconds = searchMilliseconds
        self.demand = demand
    }

    /// The same groups, where they are, with other phases and routes.
    public func following(_ routing: Routing) -> Self {
        var next = self
        for index in next.groups.indices {
            next.groups[index].role = routing.roles[next.groups[index].name] ?? next.groups[index].role
        }
        next.pairs = routing.pairs
        return next
    }

    /// Who serves what.
    public struct Routing: Sendable, Hashable {
        public var roles: [String: ServingRoutes.Role]
        public var pairs: [ServingRoutes.Pair]

        public init(roles: [String: ServingRoutes.Role], pairs: [ServingRoutes.Pair]) {
            self.roles = roles
            self.pairs = pairs
        }
    }

    /// As planned.
    public var routing: Routing {
        Routing(
            roles: Dictionary(groups.map { ($0.name, $0.role) }, uniquingKeysWith: { first, _ in first }),
            pairs: pairs)
    }
}

extension ServingPlanSummary.Routing {
    /// What is left of it with some replicas only: weights keep their proportion. Where a phase has lost its
    /// last replica, every one that is there does both until there is another plan.
    public func among(_ live: Set<String>) -> Self {
        let left = pairs.filter { live.contains($0.prefill) && live.contains($0.decode) }
        if !left.isEmpty || live.isEmpty {
            return Self(roles: roles.filter { live.contains($0.key) }, pairs: left)
        }
        return Self(
            roles: Dictionary(live.map { ($0, .both) }, uniquingKeysWith: { first, _ in first }),
            pairs: live.sorted().map { .init(prefill: $0, decode: $0, weight: 1) })
    }
}
