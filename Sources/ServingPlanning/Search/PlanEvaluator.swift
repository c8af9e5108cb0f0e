/// Judges sets of groups, and remembers what it found about each group and pair.
struct PlanEvaluator {
    /// A group as a search sees it.
    struct Member: Hashable {
        var shape: GroupShape
        var phase: Phase
    }

    /// A group whose layout is chosen.
    struct Replica: Hashable {
        /// Position in `costs`.
        var layout: Int
        var phase: Phase
    }

    let problem: PlanningProblem
    let attainer: PairAttainment
    private let search: LayoutSearch
    private(set) var costs: [LayoutCosts] = []
    private var layouts: [Member: Int?] = [:]
    private var pairs: [Pair: Found] = [:]
    private var prefills: [Int: PrefillView] = [:]
    private var decodes: [Int: ReplicaCurve] = [:]
    private var together: [Int: (rate: Double, curve: ReplicaCurve)] = [:]

    /// A prefill replica at the load of its first part.
    private struct PrefillView {
        var curve: ReplicaCurve
        var prompts: PromptQueue.Outcome
    }

    private struct Pair: Hashable {
        var prefill: Int
        var decode: Int
    }

    private struct Found {
        var attainment: Double
        var rate: Double
    }

    init(_ problem: PlanningProblem) {
        self.problem = problem
        attainer = PairAttainment(workload: problem.workload, levels: problem.levels)
        search = LayoutSearch(
            hardware: problem.hardware, workload: problem.workload, levels: problem.levels,
            maxStages: problem.rules.maxStages)
    }

    /// The best layout of a group for its phase; nil when it cannot have the phase.
    mutating func layout(_ member: Member) -> Int? {
        if let known = layouts[member] { return known }
        let found = search.best(member.shape, for: member.phase).map { add($0) }
        layouts[member] = .some(found)
        return found
    }

    /// Takes a layout in that was chosen elsewhere.
    mutating func add(_ found: LayoutCosts) -> Int {
        costs.append(found)
        return costs.count - 1
    }

    /// Whether a layout can work in a phase as it is.
    func allows(_ phase: Phase, layout: Int) -> Bool {
        let found = costs[layout]
        switch phase {
        case .prefill: return found.prefillRate > 0
        case .decode: return found.batch > 0
        case .both: return found.prefillRate > 0 && found.batch > 0
        }
    }

    /// - Returns: nil when a group cannot have its phase, or nothing can be served.
    mutating func replicas(_ members: [Member]) -> [Replica]? {
        var replicas: [Replica] = []
        for member in members {
            guard let layout = layout(member) else { return nil }
            replicas.append(Replica(layout: layout, phase: member.phase))
        }
        return Self.servesSomething(replicas) ? replicas : nil
    }

    static func servesSomething(_ replicas: [Replica]) -> Bool {
        let phases = Set(replicas.map(\.phase))
        return phases.contains(.both) || (phases.contains(.prefill) && phases.contains(.decode))
    }

    /// The routes to be chosen between so many replicas.
    mutating func routes(_ replicas: [Replica]) -> RoutingProblem {
        let prefill = replicas.filter { $0.phase != .decode }
        let decode = replicas.filter { $0.phase != .prefill }
        var attainment: [[Double]] = []
        var links: [[Double]] = []
        for (row, source) in prefill.enumerated() {
            var found: [Found] = []
            for (column, target) in decode.enumerated() {
                let isOneGroup =
                    source.phase == .both && target.phase == .both
                    && Self.rank(row, .both, prefill) == Self.rank(column, .both, decode)
                if isOneGroup {
                    let own = both(source.layout)
                    found.append(Found(attainment: own.curve.base, rate: own.rate))
                } else if source.phase == .prefill, target.phase == .decode {
                    found.append(pair(source.layout, target.layout))
                } else {
                    found.append(Found(attainment: 0, rate: 0))
                }
            }
            attainment.append(found.map(\.attainment))
            links.append(found.map(\.rate))
        }
        var routes = RoutingProblem(
            rate: problem.workload.rate, prefillRates: prefill.map { prefillRate($0) },
            decodeRates: decode.map { decodeRate($0) }, attainment: attainment, linkRates: links)
        routes.prefillSteps = prefill.map { $0.phase == .both ? [] : view($0.layout).curve.steps }
        routes.decodeSteps = decode.map {
            $0.phase == .both ? both($0.layout).curve.steps : curve($0.layout).steps
        }
        return routes
    }

    /// Requests per second that a replica may get.
    private mutating func prefillRate(_ replica: Replica) -> Double {
        replica.phase == .both
            ? both(replica.layout).rate : problem.rules.prefillUse * costs[replica.layout].prefillRate
    }

    private mutating func decodeRate(_ replica: Replica) -> Double {
        replica.phase == .both
            ? both(replica.layout).rate : problem.rules.decodeUse * costs[replica.layout].decodeRate
    }

    /// Which one of the replicas of a phase the one at a position is.
    static func rank(_ position: Int, _ phase: Phase, _ replicas: [Replica]) -> Int {
        replicas[..<position].count { $0.phase == phase }
    }

    private mutating func pair(_ source: Int, _ target: Int) -> Found {
        let key = Pair(prefill: source, decode: target)
        if let known = pairs[key] { return known }
        let (prefill, decode) = (costs[source], costs[target])
        var found = Found(attainment: 0, rate: 0)
        if decode.batch > 0, prefill.prefillRate > 0,
            problem.rules.engine.allows(from: prefill.model.layout, to: decode.model.layout)
        {
            let path = path(source, target)
            let view = view(source)
            let rate = ReplicaCurve.shares[0] * problem.rules.decodeUse * decode.decodeRate
            found.attainment = attainer.attainment(
                prefill, view.prompts, path: path, decode: decode,
                attainer.decoding(decode, rate: rate))
            found.rate = min(linkRate(path), roomRate(prefill, path))
        }
        pairs[key] = found
        return found
    }

    /// Of all requests.
    private func share(_ rate: Double) -> Double { rate / problem.workload.rate }

    private mutating func view(_ layout: Int) -> PrefillView {
        if let known = prefills[layout] { return known }
        let found = costs[layout]
        let most = problem.rules.prefillUse * found.prefillRate
        let curve = ReplicaCurve(most: most) { rate in
            let first = attainer.prompts(found, rate: rate, share: share(rate)).first
            return first.reduce(0, +) / Double(max(first.count, 1))
        }
        let first = ReplicaCurve.shares[0] * most
        let view = PrefillView(
            curve: curve, prompts: attainer.prompts(found, rate: first, share: share(first)))
        prefills[layout] = view
        return view
    }

    /// A decode replica whose first tokens were all in time and right beside it.
    private mutating func curve(_ layout: Int) -> ReplicaCurve {
        if let known = decodes[layout] { return known }
        let found = costs[layout]
        let path = KVPath.none
        let idle = PromptQueue.Outcome(first: found.latencies.map { _ in 1 }, delay: 0)
        let curve = ReplicaCurve(most: problem.rules.decodeUse * found.decodeRate) { rate in
            attainer.attainment(
                found, idle, path: path, decode: found, attainer.decoding(found, rate: rate))
        }
        decodes[layout] = curve
        return curve
    }

    func path(_ source: Int, _ target: Int) -> KVPath {
        KVPath(
            from: costs[source].model.layout, to: costs[target].model.layout, on: problem.hardware)
    }

    /// Requests per second whose keys and values a path may carry.
    func linkRate(_ path: KVPath) -> Double {
        problem.rules.networkUse / max(path.busy(prompt: problem.workload.meanPrompt), 1e-9)
    }

    /// Requests per second whose prompts fit on the prefill side until they have arrived on the other.
    private func roomRate(_ prefill: LayoutCosts, _ path: KVPath) -> Double {
        var held = 0.0
        for (sample, latency) in zip(problem.workload.samples, prefill.latencies) {
            let prompt = Double(sample.prompt)
            // Transfers queue: on the mean they take about twice their own time.
            held += prompt * (latency + 2 * path.seconds(prompt: prompt))
        }
        let mean = held / Double(max(problem.workload.samples.count, 1))
        return problem.rules.networkUse * Double(prefill.model.kvTokens) / max(mean, 1e-9)
    }

    private mutating func both(_ layout: Int) -> (rate: Double, curve: ReplicaCurve) {
        if let known = together[layout] { return known }
        let found = costs[layout]
        let rate = problem.rules.prefillUse * attainer.bothRate(found)
        let curve = ReplicaCurve(most: rate) {
            attainer.both(found, rate: $0, share: share($0))
        }
        together[layout] = (rate, curve)
        return (rate, curve)
    }

    /// - Parameter rate: requests per second; nil is that of the workload.
    mutating func rank(_ replicas: [Replica], rate: Double? = nil) -> PlanRank {
        let judged = JudgedRoutes(replicas, &self, rate: rate)
        return PlanRank(
            attainment: judged.attainment, saturation: judged.problem.saturation(),
            broken: problem.rules.avoidsSinglePoints ? Self.brokenRules(judged.problem) : 0)
    }

    /// Share in time at a rate, requests per second.
    mutating func attainment(_ replicas: [Replica], rate: Double) -> Double {
        JudgedRoutes(replicas, &self, rate: rate).attainment
    }

    /// Requests per second that replicas could serve if every path carried all and nothing were late.
    mutating func most(_ replicas: [Replica]) -> Double {
        var (prefill, decode, both) = (0.0, 0.0, 0.0)
        for replica in replicas {
            switch replica.phase {
            case .prefill: prefill += prefillRate(replica)
            case .decode: decode += decodeRate(replica)
            case .both: both += prefillRate(replica)
            }
        }
        return min(prefill, decode) + both
    }

    /// How many of the rules against single points of failure are broken.
    static func brokenRules(_ routes: RoutingProblem) -> Int {
        var broken = 0
        for rates in [routes.prefillRates, routes.decodeRates] {
            let total = rates.reduce(0, +)
            let most = rates.max() ?? 0
            if rates.count < 2 { broken += 1 }
            if most > 0.5 * total * (1 + 1e-9) { broken += 1 }
        }
        return broken
    }
}
