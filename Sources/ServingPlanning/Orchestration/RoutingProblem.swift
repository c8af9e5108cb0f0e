/// A part of a replica's rate.
public struct LoadStep: Sendable, Hashable {
    /// Requests per second of this part.
    public var rate: Double
    /// Attainment that each request of the part costs; never less than in the part before.
    public var loss: Double

    public init(rate: Double, loss: Double) {
        self.rate = rate
        self.loss = loss
    }
}

/// Which share of the requests goes to which pair of prefill and decode replica: a transportation problem in
/// two stages, solved exactly.
public struct RoutingProblem: Sendable, Hashable {
    /// Requests per second.
    public var rate: Double
    /// Of each prefill replica, requests per second that it may get.
    public var prefillRates: [Double]
    /// Of each decode replica.
    public var decodeRates: [Double]
    /// Share of the requests of a pair that is in time: prefill replicas in rows, decode replicas in columns.
    public var attainment: [[Double]]
    /// Requests per second that the path of a pair carries; a pair at 0 is never used.
    public var linkRates: [[Double]]
    /// What queues cost: of each prefill replica, parts of its rate in the order of use, and the attainment
    /// that requests of the part cost. None is no queues.
    public var prefillSteps: [[LoadStep]] = []
    /// The same of decode replicas.
    public var decodeSteps: [[LoadStep]] = []

    public init(
        rate: Double, prefillRates: [Double], decodeRates: [Double], attainment: [[Double]],
        linkRates: [[Double]]
    ) {
        self.rate = rate
        self.prefillRates = prefillRates
        self.decodeRates = decodeRates
        self.attainment = attainment
        self.linkRates = linkRates
    }

    /// The best routes.
    public func solve() -> Routing { solved().routing }

    /// Requests per second in time if far more came than can be served.
    public func saturation() -> Double {
        var built = build()
        var value = 0.0
        built.network.pushWhileCheap(from: 0, to: built.sink) { value -= $0 * $1 }
        return value * rate
    }

    private func solved() -> Solved {
        var built = build()
        built.network.pushWhileCheap(from: 0, to: built.sink, amount: 1)
        return Solved(problem: self, built: built)
    }

    /// A network and where its edges are.
    fileprivate struct Built {
        var network: FlowNetwork
        var sink: Int
        /// Of each replica, the edge of its last part: what more of the replica would be.
        var prefill: [Int]
        var decode: [Int]
        /// Rows and columns as in the problem; nil for pairs that cannot be used.
        var pairs: [[Int?]]
    }

    private func build() -> Built {
        let rows = prefillRates.count
        let sink = 1 + rows + decodeRates.count
        var network = FlowNetwork(nodes: sink + 1)
        func addReplica(from: Int, to: Int, rate whole: Double, steps: [LoadStep]) -> Int {
            var last = -1
            for step in steps.isEmpty ? [LoadStep(rate: whole, loss: 0)] : steps {
                last = network.add(from: from, to: to, capacity: step.rate / rate, cost: step.loss)
            }
            return last
        }
        let prefill = prefillRates.indices.map {
            addReplica(
                from: 0, to: 1 + $0, rate: prefillRates[$0],
                steps: prefillSteps.isEmpty ? [] : prefillSteps[$0])
        }
        let pairs: [[Int?]] = prefillRates.indices.map { row in
            decodeRates.indices.map { column in
                guard linkRates[row][column] > 0, attainment[row][column] > 0 else { return nil }
                return network.add(
                    from: 1 + row, to: 1 + rows + column, capacity: linkRates[row][column] / rate,
                    cost: -attainment[row][column])
            }
        }
        let decode = decodeRates.indices.map {
            addReplica(
                from: 1 + rows + $0, to: sink, rate: decodeRates[$0],
                steps: decodeSteps.isEmpty ? [] : decodeSteps[$0])
        }
        return Built(network: network, sink: sink, prefill: prefill, decode: decode, pairs: pairs)
    }
}

/// Routes and what they are worth.
public struct Routing: Sendable, Hashable {
    /// Share of all requests that uses the pair: rows and columns as in the problem.
    public var shares: [[Double]]
    /// Share of all requests in time.
    public var attainment: Double
    /// Gain in attainment per unit of each replica's capacity, in shares of all requests.
    public var prefillWorth: [Double]
    public var decodeWorth: [Double]
    /// The same of the paths.
    public var linkWorth: [[Double]]
    /// Attainment of one more request among those that come.
    public var requestWorth: Double

    /// Share of all requests that is routed at all.
    public var served: Double { shares.reduce(0) { $0 + $1.reduce(0, +) } }

    /// Share of all requests that a prefill replica gets.
    public func prefillShare(_ row: Int) -> Double { shares[row].reduce(0, +) }

    /// Share of all requests that a decode replica gets.
    public func decodeShare(_ column: Int) -> Double { shares.reduce(0) { $0 + $1[column] } }
}

private struct Solved {
    let routing: Routing

    init(problem: RoutingProblem, built: RoutingProblem.Built) {
        let edges = built.network.edges
        let worth = built.network.duals(source: 0, sink: built.sink, amount: 1)
        let shares = built.pairs.map { row in row.map { $0.map { max(0, edges[$0].flow) } ?? 0 } }
        let value = -edges.reduce(0) { $0 + $1.flow * $1.cost }
        routing = Routing(
            shares: shares, attainment: value, prefillWorth: built.prefill.map { worth.edges[$0] },
            decodeWorth: built.decode.map { worth.edges[$0] },
            linkWorth: built.pairs.map { row in row.map { $0.map { worth.edges[$0] } ?? 0 } },
            requestWorth: worth.amount)
    }
}
