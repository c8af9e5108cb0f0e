/// How long a search goes on.
public struct SearchLimits: Sendable, Hashable {
    /// States that are judged; the search stops on this number.
    public var evaluations: Int
    /// Neighbours judged in a step.
    public var neighbours = 10
    /// Latest states that are not gone back to.
    public var memory = 5
    /// Steps without a better state after which the search goes back to the best one.
    public var patience = 30

    /// - Throws: `ServingError` of code `settings`.
    public init(evaluations: Int = 1000) throws(ServingError) {
        guard (1...10_000_000).contains(evaluations) else {
            throw ServingError(.settings, "evaluations: \(evaluations), 1 to 10000000 expected")
        }
        self.evaluations = evaluations
    }
}

/// Searches groups and phases: the best of some neighbours at each step, even when it is worse than what is,
/// unless the search was there lately.
struct TabuSearch {
    let problem: PlanningProblem
    let limits: SearchLimits
    let seed: UInt64
    /// Requests per second that states are judged at; nil is the rate of the workload.
    var rate: Double?
    /// States to begin with, beside those that it finds itself.
    var starts: [SearchState] = []

    struct Outcome {
        /// The best states first.
        var candidates: [[PlanEvaluator.Replica]]
        var evaluations: Int
        /// Whether time ended the search and not the number of evaluations.
        var isCapped: Bool
    }

    private struct Judged {
        var state: SearchState
        var rank: PlanRank
    }

    /// States that are kept to be looked at more closely.
    static let candidateLimit = 12

    /// - Parameter isOverdue: asked before each step.
    /// - Returns: nil when no groups can serve the model.
    func run(_ evaluator: inout PlanEvaluator, isOverdue: () -> Bool) -> Outcome? {
        var judge = Judge(rate: rate)
        var best: Judged?
        for state in starts + FirstStates(problem: problem).all(&evaluator) {
            guard judge.count < limits.evaluations || best == nil,
                let rank = judge.rank(state, &evaluator)
            else { continue }
            if best.map({ rank > $0.rank }) ?? true { best = Judged(state: state, rank: rank) }
        }
        guard var best else { return nil }
        let isCapped = walk(&best, &judge, &evaluator, isOverdue: isOverdue)
        return Outcome(
            candidates: judge.best.compactMap { evaluator.replicas($0.state.members) },
            evaluations: judge.count, isCapped: isCapped)
    }

    private func walk(
        _ best: inout Judged, _ judge: inout Judge, _ evaluator: inout PlanEvaluator,
        isOverdue: () -> Bool
    ) -> Bool {
        var neighbourhood = Neighbourhood(phases: problem.rules.phases, seed: seed)
        var current = best
        var tabu = [best.state]
        var idle = 0
        var attempts = 0
        // Small fleets have few states: an end of attempts as well as of evaluations.
        while judge.count < limits.evaluations, attempts < 50 * limits.evaluations {
            if isOverdue() { return true }
            var next: Judged?
            var judged = 0
            while judged < limits.neighbours, judge.count < limits.evaluations {
                attempts += 1
                if attempts % (20 * limits.neighbours) == 0 { break }
                guard let state = neighbourhood.step(from: current.state),
                    let rank = judge.rank(state, &evaluator)
                else { continue }
                judged += 1
                if tabu.contains(state), rank <= best.rank { continue }
                if next.map({ rank > $0.rank }) ?? true { next = Judged(state: state, rank: rank) }
            }
            guard let next else { continue }
            current = next
            tabu.append(next.state)
            if tabu.count > limits.memory { tabu.removeFirst() }
            idle += 1
            if next.rank > best.rank {
                best = next
                idle = 0
            } else if idle >= limits.patience {
                current = best
                tabu = [best.state]
                idle = 0
            }
        }
        return false
    }

    /// Counts what it judges, and keeps the best.
    private struct Judge {
        let rate: Double?
        var count = 0
        /// In the order of rank, without repeats.
        var best: [Judged] = []

        init(rate: Double?) { self.rate = rate }

        private mutating func keep(_ judged: Judged) {
            if best.count == TabuSearch.candidateLimit, let last = best.last, last.rank >= judged.rank {
                return
            }
            guard !best.contains(where: { $0.state == judged.state }) else { return }
            best.insert(judged, at: best.firstIndex { $0.rank < judged.rank } ?? best.count)
            if best.count > TabuSearch.candidateLimit { best.removeLast() }
        }

        /// - Returns: nil, and counts nothing, for a state that serves nothing.
        mutating func rank(_ state: SearchState, _ evaluator: inout PlanEvaluator) -> PlanRank? {
            guard let replicas = evaluator.replicas(state.members) else { return nil }
            count += 1
            let rank = evaluator.rank(replicas, rate: rate)
            keep(Judged(state: state, rank: rank))
            return rank
        }
    }
}

/// Flips phases of replicas whose layouts stay as they are: weights stay where they lie.
struct PhaseSearch {
    /// Steps from state to state.
    static let stepLimit = 100
    /// Steps without a better state.
    static let patience = 10

    /// - Parameter isOverdue: asked before each step.
    /// - Returns: the best phases found, how many states were judged and whether time ended the search.
    static func run(
        _ start: [PlanEvaluator.Replica], _ evaluator: inout PlanEvaluator, isOverdue: () -> Bool
    ) -> (replicas: [PlanEvaluator.Replica], evaluations: Int, isCapped: Bool) {
        var best = start
        var bestRank = PlanEvaluator.servesSomething(start) ? evaluator.rank(start) : nil
        var current = start
        var seen: Set<[PlanEvaluator.Replica]> = [start]
        var evaluations = bestRank == nil ? 0 : 1
        var idle = 0
        for _ in 0..<stepLimit where idle < patience {
            if isOverdue() { return (best, evaluations, true) }
            var next: (replicas: [PlanEvaluator.Replica], rank: PlanRank)?
            for neighbour in neighbours(of: current, evaluator) where !seen.contains(neighbour) {
                let rank = evaluator.rank(neighbour)
                evaluations += 1
                if next.map({ rank > $0.rank }) ?? true { next = (neighbour, rank) }
            }
            guard let next else { break }
            current = next.replicas
            seen.insert(current)
            idle += 1
            if bestRank.map({ next.rank > $0 }) ?? true {
                (best, bestRank, idle) = (next.replicas, next.rank, 0)
            }
        }
        return (best, evaluations, false)
    }

    /// All that differ in the phase of one replica, or in those of two when one alone would serve nothing.
    private static func neighbours(
        of replicas: [PlanEvaluator.Replica], _ evaluator: PlanEvaluator
    ) -> [[PlanEvaluator.Replica]] {
        var found: [[PlanEvaluator.Replica]] = []
        for index in replicas.indices {
            for phase in evaluator.problem.rules.phases
            where phase != replicas[index].phase && evaluator.allows(phase, layout: replicas[index].layout) {
                var flipped = replicas
                flipped[index].phase = phase
                if PlanEvaluator.servesSomething(flipped) { found.append(flipped) }
            }
        }
        return found
    }
}
