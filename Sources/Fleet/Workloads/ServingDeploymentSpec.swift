/// A model that is served, as its owner wants it.
public struct ServingDeploymentSpec: DocumentSpec {
    public static let kind = Kind.servingDeployment
    /// Chosen once when absent.
    public var cell: String?
    /// Any pool that admits serving when absent.
    public var pool: String?
    /// Name of the served model, as engines are told it; one of the catalogue, or any with `shape`.
    public var model: String
    /// Dimensions of a model that the catalogue does not have.
    public var shape: ServingModelShape?
    /// When a request is in time; two seconds to the first token when absent.
    public var levels: ServingLevels?
    /// What is expected; one request per second when absent.
    public var demand: ServingDemand?
    /// Dollars per hour, in hundredths, that its hosts may cost; no limit when absent.
    public var budgetCentsPerHour: Int?
    /// Bits of keys and values on their way between replicas: 4, 8 or 16, the usual.
    public var kvBits: Int?
    /// Stages of a replica's pipeline at most; 4 when absent.
    public var maxStages: Int?
    /// Phases that replicas may have; all when absent. Engines that cannot hand keys and values over do both.
    public var phases: [ServingRoutes.Role]?
    /// Seconds that requests under way get when their replica is to stop; 300 when absent.
    public var drainSeconds: Int?
    /// What every device of a replica gets of its host; on hosts without devices so much stands for one.
    public var resourcesPerDevice: Resources?
    /// First port that replicas listen on; 8000 when absent.
    public var port: Int?
    /// What every part runs: a template, filled in for each.
    public var run: RunSpec?
    public var image: ImageSpec?

    public init(
        cell: String? = nil, pool: String? = nil, model: String, shape: ServingModelShape? = nil,
        levels: ServingLevels? = nil, demand: ServingDemand? = nil, budgetCentsPerHour: Int? = nil,
        kvBits: Int? = nil, maxStages: Int? = nil, phases: [ServingRoutes.Role]? = nil,
        drainSeconds: Int? = nil, resourcesPerDevice: Resources? = nil, port: Int? = nil,
        run: RunSpec? = nil, image: ImageSpec? = nil
    ) {
        self.cell = cell
        self.pool = pool
        self.model = model
        self.shape = shape
        self.levels = levels
        self.demand = demand
        self.budgetCentsPerHour = budgetCentsPerHour
        self.kvBits = kvBits
        self.maxStages = maxStages
        self.phases = phases
        self.drainSeconds = drainSeconds
        self.resourcesPerDevice = resourcesPerDevice
        self.port = port
        self.run = run
        self.image = image
    }

    public func defects() -> [FieldDefect] {
        var found: [FieldDefect] = []
        if !(1...Name.labelLengthLimit).contains(model.unicodeScalars.count) {
            found.append(.init(field: "spec.model", code: .required, message: "name a model"))
        }
        if let kvBits, ![4, 8, 16].contains(kvBits) {
            found.append(
                .init(field: "spec.kvBits", code: .outOfRange, message: "\(kvBits) is none of 4, 8 and 16"))
        }
        for (name, value, range) in [
            ("budgetCentsPerHour", budgetCentsPerHour, 1...1_000_000_000), ("maxStages", maxStages, 1...8),
            ("drainSeconds", drainSeconds, 0...86_400), ("port", port, 1024...65_000),
        ] {
            guard let value, !range.contains(value) else { continue }
            found.append(
                .init(
                    field: "spec.\(name)", code: .outOfRange,
                    message: "\(value) is outside \(range.lowerBound) to \(range.upperBound)"))
        }
        if let phases, !Self.canServe(Set(phases)) || Set(phases).count != phases.count {
            found.append(
                .init(
                    field: "spec.phases", code: .invalid,
                    message: "give both, or prefill and decode, or all three, each once"))
        }
        if let share = resourcesPerDevice, share.milliCPU < 1 || share.memoryMiB < 1 {
            found.append(
                .init(
                    field: "spec.resourcesPerDevice", code: .outOfRange,
                    message: "give CPU and memory, both above 0"))
        }
        found += shape?.defects(at: "spec.shape") ?? []
        found += levels?.defects(at: "spec.levels") ?? []
        found += demand?.defects(at: "spec.demand") ?? []
        if let run { found += run.defects(at: "spec.run") + CommandTemplate.defects(of: run, at: "spec.run") }
        return found + (image?.defects(at: "spec.image") ?? [])
    }

    private static func canServe(_ phases: Set<ServingRoutes.Role>) -> Bool {
        phases.contains(.both) || phases.isSuperset(of: [.prefill, .decode])
    }

    /// What does not change while replicas run.
    public func immutableDefects(since before: ServingDeploymentSpec) -> [FieldDefect] {
        guard before.cell != cell else { return [] }
        return [
            .init(
                field: "spec.cell", code: .immutable,
                message: "cannot change; delete the deployment and create it again")
        ]
    }
}

public enum ServingLimit {
    /// Longer than most answers take, and short enough that a new command is everywhere within the hour.
    public static let usualDrainSeconds = 300
    /// First port of replicas.
    public static let port = 8000
    /// What a device gets of its host: enough for the host's side of an engine.
    public static let usualShare = Resources(milliCPU: 2000, memoryMiB: 8192)
    public static let usualDemand = ServingDemand(
        requestsPerMinute: 60, promptTokens: 1000, outputTokens: 200)
}

public struct ServingDeploymentStatus: Sendable, Hashable, Codable {
    public var state: WorkloadState
    public var observedGeneration: Int
    public var cell: String?
    /// Sorted by name.
    public var parts: [PartStatus]
    /// Which replicas there shall be, and what they are expected to serve; nil before the first plan.
    public var plan: ServingPlanSummary?
    /// Where routers send requests; nil before the first replica runs.
    public var routes: ServingRoutes?
    /// What routers see; nil where none reports.
    public var observed: ServingObservation?
    /// Replicas that are to stop, sorted by name; nil where none is.
    public var leaving: [ReplicaLeave]?
    public var conditions: [Condition]

    public init(
        state: WorkloadState = .pending, observedGeneration: Int = 0, cell: String? = nil,
        parts: [PartStatus] = [], plan: ServingPlanSummary? = nil, routes: ServingRoutes? = nil,
        observed: ServingObservation? = nil, leaving: [ReplicaLeave]? = nil, conditions: [Condition] = []
    ) {
        self.state = state
        self.observedGeneration = observedGeneration
        self.cell = cell
        self.parts = parts
        self.plan = plan
        self.routes = routes
        self.observed = observed
        self.leaving = leaving
        self.conditions = conditions
    }
}
