internal import Fleet
internal import Store

/// A serving deployment of a cell, its documents read.
struct ServingDeploymentRecord: PartedWorkload {
    static let kind = Kind.servingDeployment
    static let engine = Plan.Engine.serving
    /// 2⁶ s, about a minute, is the longest wait between starts of a replica that fails.
    static let backOffSteps = 6
    /// A field that gave no plan is asked again after this time, or when it changed.
    static let retryAfter = Duration.seconds(30)

    var metadata: Metadata
    var spec: ServingDeploymentSpec
    var status: ServingDeploymentStatus
    /// A plan that the status does not have yet.
    private var adopted: ServingPlanSummary?
    /// Phases and routes of the groups that are left, where they are not all there.
    var detour: Detour?
    /// Starts of a group that failed in a row, and before when it is not started again.
    var failures: [String: Failure] = [:]
    /// What was searched last without a plan to follow.
    var fruitless: Fruitless?
    /// Epoch of the cluster, for routes.
    var epoch = 1
    var watch = ServingWatch()
    /// As the status tells it: not every window is news.
    var observed: ServingObservation?
    /// When phases and when everything was last searched because of what is observed.
    var asked: (light: Timestamp?, full: Timestamp?)
    /// Replicas that are to stop, by name: no request is sent to them.
    var drains: [String: ReplicaDrain] = [:]
    /// The replica that is to run another command next.
    var renewing: String?

    struct Detour: Equatable {
        var live: Set<String>
        /// Nil while it is searched.
        var routing: ServingPlanSummary.Routing?
    }

    struct Failure: Equatable {
        var count: Int
        var notBefore: Timestamp
    }

    struct Fruitless: Equatable {
        var generation: Int
        /// Of the cell's capacity.
        var version: Int
        var at: Timestamp
        /// In words; nil for a plan that was found and does not pay.
        var message: String?
    }

    init(_ resource: Resource) throws {
        metadata = resource.metadata
        spec = try Self.decoded(ServingDeploymentSpec.self, resource.spec)
        status =
            resource.status == "{}"
            ? ServingDeploymentStatus() : try Self.decoded(ServingDeploymentStatus.self, resource.status)
        drains = Dictionary(
            (status.leaving ?? []).map {
                ($0.name, ReplicaDrain($0, version: status.routes?.version ?? 0))
            }, uniquingKeysWith: { first, _ in first })
        renewing = drains.filter { $0.value.cause == .renewed }.keys.min()
    }

    var named: [ID<Allocation>] { status.parts.map(\.allocation) }

    /// The plan that is carried out.
    var plan: ServingPlanSummary? { adopted ?? status.plan }

    mutating func adopt(_ plan: ServingPlanSummary) {
        adopted = plan
        detour = nil
        fruitless = nil
        let names = Set(plan.groups.map(\.name))
        failures = failures.filter { names.contains($0.key) }
    }

    mutating func inherit(from known: any PartedWorkload) {
        guard let known = known as? Self else { return }
        // The status says itself by now what was adopted.
        adopted = known.adopted == status.plan ? nil : known.adopted
        detour = known.detour
        failures = known.failures
        fruitless = known.fruitless
        epoch = known.epoch
        watch = known.watch
        observed = known.observed
        asked = known.asked
        drains = known.drains
        renewing = known.renewing
    }

    /// A part that ended by itself is started again: at once, and later each time it does so again.
    mutating func ended(_ allocation: Allocation, wasAsked: Bool) {
        guard !wasAsked, let at = allocation.releasedAt,
            let group = plan?.groups.first(where: { $0.parts.contains(allocation.workload.part) })
        else { return }
        let ran = at.since(allocation.createdAt)
        // Who served for ten minutes does not fail in a row.
        let count = ran > .seconds(600) ? 1 : (failures[group.name]?.count ?? 0) + 1
        let wait = count == 1 ? Duration.zero : .seconds(1 << min(count - 1, Self.backOffSteps))
        failures[group.name] = Failure(count: count, notBefore: at.advanced(by: wait))
    }

    /// What the snapshot was behind of is read anew at once; room and quotas take a moment to change.
    mutating func refused(_ reason: Reason, now: Timestamp) {
        let until = now.advanced(by: .seconds(reason == .quotaExceeded ? 5 : 1))
        for group in plan?.groups ?? [] {
            let known = failures[group.name] ?? Failure(count: 0, notBefore: until)
            failures[group.name] = Failure(count: known.count, notBefore: max(until, known.notBefore))
        }
    }

    // MARK: What is observed

    /// What the plan in force was made for.
    var demand: ServingDemand { plan?.demand ?? spec.demand ?? ServingLimit.usualDemand }

    /// Share of the requests that is to be in time.
    var target: Double { Double((spec.levels ?? .usual).targetPerMille ?? 900) / 1000 }

    /// An observation is told once a minute, and when routers come, go or follow.
    private static let tellsEvery = Duration.seconds(60)

    /// - Returns: whether the status has something new to tell.
    mutating func take(_ reports: [ServingReportRecord], now: Timestamp) -> Bool {
        watch.take(
            reports, limit: (spec.levels ?? .usual).ttftMilliseconds, demand: demand, now: now)
        guard let next = watch.observation else { return false }
        if let told = observed, told.routers == next.routers, told.version == next.version,
            next.at.since(told.at) < Self.tellsEvery
        {
            return false
        }
        observed = next
        return true
    }

    // MARK: What leaves

    /// Replicas whose hosts are to be empty.
    var evicted: Set<String> { Set(drains.filter { $0.value.cause == .host }.keys) }

    /// Of the replicas that run, those that no request is to be sent to.
    ///
    /// The last ones on a host that is to be empty serve until they have to stop: late beats never.
    func away(_ live: Set<String>) -> Set<String> {
        let gone = live.filter { drains[$0] != nil || $0 == renewing }
        guard gone == live else { return gone }
        return gone.filter { drains[$0]?.cause != .host || drains[$0]?.isOver == true }
    }

    // MARK: Status

    func settled(_ parts: [PartView], now: Timestamp) throws -> Settlement? {
        var next = status
        next.observedGeneration = metadata.generation
        next.cell = parts.first?.allocation.cell ?? spec.cell ?? status.cell
        next.parts = parts.map(\.status)
        next.plan = plan
        let live = plan.map { ServingWork($0, parts: parts).live } ?? []
        next.routes = routes(live.subtracting(away(live)))
        next.observed = observed ?? status.observed
        next.leaving = drains.isEmpty ? nil : drains.sorted { $0.key < $1.key }.map { $1.leave(named: $0) }
        describe(&next, parts, live, now)
        guard next != status else { return nil }
        return Settlement(status: try CellPipeline.encoded(next), event: event(next))
    }

    /// The routes of the groups that serve now: a new version whenever they are others than before.
    private func routes(_ live: Set<String>) -> ServingRoutes? {
        guard let plan, status.routes != nil || !live.isEmpty else { return nil }
        let routing = (detour?.live == live ? detour?.routing : nil) ?? plan.routing.among(live)
        let replicas = plan.groups.filter { live.contains($0.name) }.map { group in
            ServingRoutes.Replica(
                name: group.name, address: group.address, role: routing.roles[group.name] ?? group.role)
        }
        let before = status.routes
        let next = ServingRoutes(
            epoch: max(epoch, before?.epoch ?? 1), version: (before?.version ?? 0) + 1, model: spec.model,
            replicas: replicas, pairs: metadata.deletionTimestamp == nil ? routing.pairs : [])
        if let before, before.epoch == next.epoch, before.model == next.model,
            before.replicas == next.replicas, before.pairs == next.pairs
        {
            return before
        }
        return next
    }

    private func describe(
        _ next: inout ServingDeploymentStatus, _ parts: [PartView], _ live: Set<String>, _ now: Timestamp
    ) {
        let count = plan?.groups.count ?? 0
        let isWhole = count > 0 && live.count == count
        if metadata.deletionTimestamp != nil {
            next.state = .stopping
        } else {
            next.state = isWhole ? .running : parts.isEmpty ? .pending : .scheduled
        }
        let words = plan.map {
            "\($0.groups.count) replicas, \(Int($0.attainment * 1000)) per mille of the requests in time"
        }
        if let message = fruitless?.message, plan == nil {
            Self.say(&next, .scheduled, .no, .noHostFits, message, now)
        } else {
            Self.say(
                &next, .scheduled, plan == nil ? .no : .yes, plan == nil ? .waitingForPlacement : .scheduled,
                words ?? "a plan is searched", now)
        }
        let running = "\(live.count) of \(count) replicas serve"
        Self.say(
            &next, .running, isWhole ? .yes : .no, isWhole ? .running : .waitingForPlacement,
            plan == nil ? "has no replicas" : running, now)
    }

    private static func say(
        _ status: inout ServingDeploymentStatus, _ type: Condition.Aspect, _ value: Condition.Status,
        _ reason: Reason, _ message: String, _ now: Timestamp
    ) {
        status.conditions.set(
            Condition(type: type, status: value, reason: reason, message: message, lastTransitionTime: now))
    }

    /// The ledger tells of parts; only what is decided beside it is told here.
    private func event(_ next: ServingDeploymentStatus) -> (reason: Reason, message: String)? {
        if let plan = next.plan, plan != status.plan {
            return (
                .scheduled,
                "a plan of \(plan.groups.count) replicas: \(Int(plan.attainment * 1000)) per mille in time, "
                    + "found in \(plan.searchMilliseconds) ms"
            )
        }
        guard let routes = next.routes, routes.version != status.routes?.version else { return nil }
        let names = routes.replicas.map(\.name).joined(separator: ", ")
        return (
            .rerouted, "routes of version \(routes.version) go to \(names.isEmpty ? "nobody" : names)"
        )
    }
}
