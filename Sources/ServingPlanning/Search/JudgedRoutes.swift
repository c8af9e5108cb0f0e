/// The best routes between replicas, and what they attain at the loads that they bring.
struct JudgedRoutes {
    let problem: RoutingProblem
    let routing: Routing
    /// Of each pair that is used; rows and columns as in the problem, 0 elsewhere.
    let pairs: [[Double]]
    /// Share of all requests in time.
    let attainment: Double

    /// - Parameter rate: requests per second; nil is that of the workload.
    init(_ replicas: [PlanEvaluator.Replica], _ evaluator: inout PlanEvaluator, rate: Double? = nil) {
        var problem = evaluator.routes(replicas)
        if let rate { problem.rate = rate }
        let routing = problem.solve()
        self.init(replicas, evaluator, problem: problem, routing: routing)
    }

    /// - Parameter routing: of the problem, however it was found.
    init(
        _ replicas: [PlanEvaluator.Replica], _ evaluator: PlanEvaluator, problem: RoutingProblem,
        routing: Routing
    ) {
        self.problem = problem
        self.routing = routing
        let view = LoadedReplicas(replicas, evaluator)
        pairs = view.attainment(routing.shares, rate: problem.rate)
        var sum = 0.0
        for (shares, attained) in zip(routing.shares, pairs) {
            for (share, value) in zip(shares, attained) { sum += share * value }
        }
        attainment = sum
    }
}

/// How replicas do at given loads.
struct LoadedReplicas {
    let prefill: [PlanEvaluator.Replica]
    let decode: [PlanEvaluator.Replica]
    let evaluator: PlanEvaluator

    init(_ replicas: [PlanEvaluator.Replica], _ evaluator: PlanEvaluator) {
        prefill = replicas.filter { $0.phase != .decode }
        decode = replicas.filter { $0.phase != .prefill }
        self.evaluator = evaluator
    }

    /// - Parameter shares: of all requests, rows and columns.
    /// - Returns: share in time of each pair that is used.
    func attainment(_ shares: [[Double]], rate: Double) -> [[Double]] {
        let attainer = evaluator.attainer
        let decoding = decode.indices.map { column -> PairAttainment.Decoding? in
            guard decode[column].phase == .decode else { return nil }
            let own = shares.reduce(0) { $0 + $1[column] } * rate
            return own > 0 ? attainer.decoding(evaluator.costs[decode[column].layout], rate: own) : nil
        }
        return prefill.indices.map { row in
            let source = evaluator.costs[prefill[row].layout]
            let share = shares[row].reduce(0, +)
            let own = share * rate
            guard own > 0 else { return decode.map { _ in 0 } }
            let prompts =
                prefill[row].phase == .both ? nil : attainer.prompts(source, rate: own, share: share)
            return decode.indices.map { column in
                guard shares[row][column] > 0 else { return 0 }
                guard let decoding = decoding[column], let prompts else {
                    return attainer.both(source, rate: own, share: share)
                }
                return attainer.attainment(
                    source, prompts,
                    path: evaluator.path(prefill[row].layout, decode[column].layout),
                    rate: rate * shares[row][column], share: shares[row][column],
                    decode: evaluator.costs[decode[column].layout], decoding)
            }
        }
    }
}
