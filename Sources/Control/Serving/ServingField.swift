internal import Fleet
internal import ServingPlanning
internal import Store

/// What a deployment can be planned on: hosts of its pool with their devices that are free or its own. A
/// value, so that it can be searched beside the pipeline.
struct ServingField: Sendable {
    /// Devices of one type on one host; where a host has none, shares of its CPUs and memory stand for them.
    struct Node: Sendable {
        /// In plans: the host, and the type where it has several.
        var name: String
        var host: String
        var type: GPUType
        /// UUIDs, sorted; empty for CPUs.
        var devices: [String]
        var width: Int
        /// Of the path to other hosts, 10⁹ bits per second.
        var gigabits: Double
    }

    /// Label of a host that says how fast it reaches others, 10⁹ bits per second.
    static let speedLabel = "network-gbps"
    /// Where no label says it: the slowest network that new machines have.
    static let usualGigabits = 10.0

    private(set) var nodes: [Node] = []

    /// - Parameter uid: the deployment, whose own parts count as free.
    init(of spec: ServingDeploymentSpec, uid: ID<Document>, in model: CellModel, catalogue: ServingCatalogue)
    {
        let share = spec.resourcesPerDevice ?? ServingLimit.usualShare
        var count = 0
        for host in model.hosts.values.sorted(by: { $0.name < $1.name })
        where model.pools[host.pool]?.admits.contains(.serving) == true && host.takesServing
            && (spec.pool == nil || spec.pool == host.pool)
        {
            for node in Self.nodes(of: host, uid, share, model, catalogue)
            where count + node.width <= ServingCluster.gpuLimit {
                nodes.append(node)
                count += node.width
            }
        }
    }

    private static func nodes(
        of host: HostRecord, _ uid: ID<Document>, _ share: Resources, _ model: CellModel,
        _ catalogue: ServingCatalogue
    ) -> [Node] {
        var room = HostRoom(total: host.room.total, reserved: host.room.reserved)
        room.cpuRatioPerMille = host.room.cpuRatioPerMille
        var held: Set<String> = []
        for allocation in model.allocations(on: host.id) where allocation.workload.uid != uid {
            room.add(allocation)
            held.formUnion(allocation.devices)
        }
        let fits = min(
            (room.total.milliCPU - room.reserved.milliCPU - room.consumedMilliCPU) / max(1, share.milliCPU),
            (room.total.memoryMiB - room.reserved.memoryMiB - room.usedMemoryMiB) / max(1, share.memoryMiB),
            64)
        guard fits > 0 else { return [] }
        let speed =
            host.labels[speedLabel].flatMap(Double.init).flatMap { $0 > 0 ? $0 : nil } ?? usualGigabits
        guard !host.devices.isEmpty else {
            let type = GPUType.processors(
                cores: Double(share.milliCPU) / 1000, memoryGB: Double(share.memoryMiB) * 1_048_576 / 1e9)
            return [
                Node(
                    name: host.name, host: host.name, type: type, devices: [], width: fits, gigabits: speed)
            ]
        }
        let free = host.devices.filter { $0.health == .healthy && !held.contains($0.uuid) }
        var byType: [String: (type: GPUType, devices: [String])] = [:]
        for device in free.prefix(fits) {
            guard let type = catalogue.gpu(ofDevice: device.model, memoryMiB: device.memoryMiB) else {
                continue
            }
            byType[type.name, default: (type, [])].devices.append(device.uuid)
        }
        return byType.sorted { $0.key < $1.key }.map { name, some in
            Node(
                name: byType.count == 1 ? host.name : "\(host.name):\(name)", host: host.name,
                type: some.type,
                devices: some.devices.sorted(), width: some.devices.count, gigabits: speed)
        }
    }

    // MARK: Planning

    /// The question that a search answers.
    ///
    /// - Throws: `ServingError` for a model that nobody knows, and for a field without a device.
    func problem(
        of spec: ServingDeploymentSpec, catalogue: ServingCatalogue
    ) throws(ServingError) -> PlanningProblem {
        guard !nodes.isEmpty else {
            throw ServingError(.infeasible, "no host of its pools has a device or room left")
        }
        let cluster = ServingCluster(
            nodes: nodes.map { node in
                ServingNode(
                    node: node.name, type: node.type.name, count: node.width,
                    price: node.devices.isEmpty ? 0 : nil)
            }, links: nodes.map { row in nodes.map { Self.link(row, $0) } })
        var precision = ServingPrecision()
        precision.kvTransferBits = spec.kvBits ?? precision.kvTransferBits
        var settings = CostSettings()
        // What stands for a device on a host without any has no driver and no graphs to hold.
        if nodes.allSatisfy(\.devices.isEmpty) { settings.reservedBytes = 0 }
        let levels = spec.levels ?? .usual
        var rules = PlanningRules()
        rules.maxStages = spec.maxStages ?? rules.maxStages
        if let phases = spec.phases {
            rules.phases = Phase.allCases.filter { phases.contains(Self.role($0)) }
        }
        return try PlanningProblem(
            hardware: ServingHardware(
                cluster: cluster, model: try Self.shape(spec, catalogue), precision: precision,
                settings: settings, types: nodes.map(\.type)),
            workload: Self.workload(spec.demand ?? ServingLimit.usualDemand),
            levels: ServiceLevels(
                ttft: Double(levels.ttftMilliseconds) / 1000, tpot: Double(levels.tpotMilliseconds) / 1000,
                e2e: Double(levels.e2eMilliseconds) / 1000,
                target: Double(levels.targetPerMille ?? 900) / 1000),
            rules: rules)
    }

    private static func link(_ left: Node, _ right: Node) -> Link {
        // Between types of one host the memory of the host is the path.
        left.host == right.host
            ? Link(latency: 20e-6, bandwidth: 10e9)
            : Link(latency: 50e-6, bandwidth: min(left.gigabits, right.gigabits) * 1e9 / 8)
    }

    static func shape(
        _ spec: ServingDeploymentSpec, _ catalogue: ServingCatalogue
    ) throws(ServingError) -> ModelShape {
        guard let shape = spec.shape else { return try catalogue.model(spec.model) }
        return ModelShape(
            name: spec.model, layers: shape.layers, hidden: shape.hidden, heads: shape.heads,
            kvHeads: shape.kvHeads ?? shape.heads, headDimension: shape.hidden / max(1, shape.heads),
            feedForward: shape.feedForward, vocabulary: shape.vocabulary, source: "spec.shape")
    }

    /// Lengths around the mean, as wide as those of conversations are.
    private static func workload(_ demand: ServingDemand) throws(ServingError) -> ServingWorkload {
        let shares = [0.1, 0.25, 0.4, 0.6, 0.8, 1, 1.2, 1.5, 1.85, 2.3]
        func size(_ mean: Int, _ share: Double) -> Int { max(1, Int(Double(mean) * share)) }
        return try ServingWorkload(
            rate: Double(demand.requestsPerMinute) / 60,
            requests: shares.flatMap { prompt in
                shares.map {
                    RequestSize(
                        prompt: size(demand.promptTokens, prompt), output: size(demand.outputTokens, $0))
                }
            })
    }

    // MARK: Plans in the words of the fleet

    /// A plan of the search, on devices. Groups of the shape of one that stands are that one: its weights
    /// stay where they are.
    ///
    /// - Parameters:
    ///   - taken: names that parts still have.
    ///   - address: of a new group, by the host of its first stage.
    func summary(
        of plan: ServingPlan, generation: Int, standing: [ServingPlanSummary.Group], taken: Set<String>,
        address: (String) -> String
    ) -> ServingPlanSummary {
        var groups = kept(of: plan, standing)
        var names = taken.union(standing.map(\.name))
        var used = Set(groups.values.flatMap { $0.stages.flatMap(\.devices) })
        for group in plan.groups where groups[group.name] == nil {
            let stages = group.stages.map { placed -> ServingPlanSummary.Stage in
                let free = (nodes.first { $0.name == placed.node }?.devices ?? [])
                    .filter { !used.contains($0) }
                let devices = Array(free.prefix(placed.gpus.count))
                used.formUnion(devices)
                return stage(placed, devices: devices)
            }
            let name = (1...).lazy.map { "g\($0)" }.first { !names.contains($0) } ?? group.name
            names.insert(name)
            groups[group.name] = .init(
                name: name, role: .both, address: address(stages.first?.host ?? ""), stages: stages,
                slots: max(1, group.batch), contextTokens: group.kvTokens)
        }
        return ServingPlanSummary(
            generation: generation,
            groups: plan.groups.compactMap { group in
                guard var placed = groups[group.name] else { return nil }
                // Of one that stands the rest is what its program was started with.
                placed.role = Self.role(group.phase)
                return placed
            },
            pairs: Self.pairs(of: plan) { groups[$0]?.name ?? $0 },
            attainment: plan.predicted.attainment, goodput: plan.predicted.goodput,
            costPerHour: plan.costPerHour, binding: plan.explanation.binding.rawValue, seed: plan.seed,
            evaluations: plan.evaluations, searchMilliseconds: Int(plan.searchMs))
    }

    /// Groups that stand already, by their name in the plan: rather those that have their phase, so that no
    /// more change theirs than have to.
    private func kept(
        of plan: ServingPlan, _ standing: [ServingPlanSummary.Group]
    ) -> [String: ServingPlanSummary.Group] {
        var left = standing
        var found: [String: ServingPlanSummary.Group] = [:]
        for keepsRole in [true, false] {
            for group in plan.groups where found[group.name] == nil {
                let shape = group.stages.map { stage($0, devices: []) }
                let role = Self.role(group.phase)
                let index = left.firstIndex {
                    $0.stages.map(\.shape) == shape && (!keepsRole || $0.role == role)
                }
                if let index { found[group.name] = left.remove(at: index) }
            }
        }
        return found
    }

    /// Who serves what by a plan of standing groups.
    static func routing(of plan: ServingPlan) -> ServingPlanSummary.Routing {
        .init(
            roles: Dictionary(
                plan.groups.map { ($0.name, role($0.phase)) }, uniquingKeysWith: { first, _ in first }),
            pairs: pairs(of: plan) { $0 })
    }

    private static func pairs(
        of plan: ServingPlan, named: (String) -> String
    ) -> [ServingRoutes.Pair] {
        let split = plan.routes.filter { $0.share > 0 && $0.prefill != $0.decode }.map {
            ServingRoutes.Pair(
                prefill: named($0.prefill), decode: named($0.decode), weight: $0.share)
        }
        // Of replicas that are alike the flow may fill one before the next; shared evenly, all are faster.
        let alike = Dictionary(grouping: plan.groups.filter { $0.phase == .both }) { group in
            group.stages.map { "\($0.type) \($0.gpus.count) \($0.layers)" }
        }
        let whole = alike.values.flatMap { groups -> [ServingRoutes.Pair] in
            let names = Set(groups.map(\.name))
            let total = plan.routes.filter { $0.prefill == $0.decode && names.contains($0.prefill) }
                .reduce(0) { $0 + $1.share }
            guard total > 0 else { return [] }
            return groups.map {
                .init(
                    prefill: named($0.name), decode: named($0.name), weight: total / Double(groups.count))
            }
        }
        return split + whole.sorted { $0.prefill < $1.prefill }
    }

    private static func role(_ phase: Phase) -> ServingRoutes.Role {
        switch phase {
        case .prefill: .prefill
        case .decode: .decode
        case .both: .both
        }
    }

    private func stage(
        _ stage: ServingPlan.PlacedStage, devices: [String]
    ) -> ServingPlanSummary.Stage {
        .init(
            host: nodes.first { $0.name == stage.node }?.host ?? stage.node, type: stage.type,
            width: stage.gpus.count, devices: devices, layers: stage.layers)
    }

    /// Groups of a plan that stand, in the words of the search.
    ///
    /// - Returns: nil where a host of theirs is not in the field.
    func standing(_ groups: [ServingPlanSummary.Group]) -> [StandingGroup]? {
        var found: [StandingGroup] = []
        for group in groups {
            var stages: [ServingPlan.PlacedStage] = []
            for stage in group.stages {
                guard let node = nodes.first(where: { $0.host == stage.host && $0.type.name == stage.type })
                else { return nil }
                stages.append(
                    .init(
                        node: node.name, type: stage.type,
                        gpus: (0..<stage.width).map { "\(node.name)/\($0)" }, layers: stage.layers))
            }
            let phase: Phase =
                switch group.role {
                case .prefill: .prefill
                case .decode: .decode
                case .both: .both
                }
            found.append(StandingGroup(name: group.name, phase: phase, stages: stages))
        }
        return found
    }
}

extension ServingPlanSummary.Stage {
    /// The stage wherever on its host.
    fileprivate var shape: Self {
        var shape = self
        shape.devices = []
        return shape
    }
}

extension HostRecord {
    /// Whether an engine may start on it.
    var takesServing: Bool {
        contact == .ready && !cordoned && !draining && substrate != CellModel.observedSubstrate
    }
}
