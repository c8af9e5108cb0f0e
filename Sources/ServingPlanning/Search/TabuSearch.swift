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
///
/// As soon as a plan brings the share that is aimed at in time, plans are judged at a rate that the best one
/// could just not serve, so that there is always something to gain.
struct TabuSearch {
    let problem: PlanningProblem
    let limits: SearchLimits
    let seed: UInt64
    /// States to begin with, beside those that it finds itself.
    var starts: [SearchState] = []

    struct Outcome {
        /// The best states first.
        var candidates: [[PlanEvaluator.Replica]]
        /// The states of the candidates.
        var states: [SearchState]
        var evaluations: Int
        /// Whether time ended the search and not the number of evaluations.
        var isCapped: Bool
    }

    struct Judged {
        var state: SearchState
        var rank: PlanRank
    }

    /// States that are kept to be looked at more closely.
    static let candidateLimit = 12
    /// Neighbours that are drawn for each one that is judged.
    static let drawn = 3
    /// How far beyond what the best plan serves others are judged.
    static let stretch = 1.1

    /// - Parameter isOverdue: asked before each step.
    /// - Returns: nil when no groups can serve the model.
    func run(_ evaluator: inout PlanEvaluator, isOverdue: () -> Bool) -> Outcome? {
        var judge = PlanJudge()
        var best: Judged?
        for state in starts + FirstStates(problem: problem).all(&evaluator) {
            guard judge.count < limits.evaluations || best == nil,
                let rank = judge.rank(state, &evaluator)
            else { continue }
            if best.map({ rank > $0.rank }) ?? true { best = Judged(state: state, rank: rank) }
        }
        guard var best else { return nil }
        let isCapped = walk(&best, &judge, &evaluator, isOverdue: isOverdue)
        let states = judge.candidates
        return Outcome(
            candidates: states.compactMap { evaluator.replicas($0.members) }, states: states,
            evaluations: judge.count, isCapped: isCapped)
    }

    private func walk(
        _ best: inout Judged, _ judge: inout PlanJudge, _ evaluator: inout PlanEvaluator,
        isOverdue: () -> Bool
    ) -> Bool {
        var neighbourhood = Neighbourhood(phases: problem.rules.phases, seed: seed)
        raise(&best, &judge, &evaluator)
        var current = best
        var tabu = [best.state]
        var idle = 0
        var barren = 0
        // Small fleets have few states: an end of steps without any as well as of evaluations.
        while judge.count < limits.evaluations, barren < Self.barrenLimit {
            if isOverdue() { return true }
            var next: Judged?
            let before = judge.count
            for state in neighbourhood.promising(
                limits.neighbours, of: current.state, &judge, &evaluator)
            where judge.count < limits.evaluations {
                guard let rank = judge.rank(state, &evaluator) else { continue }
                if tabu.contains(state), rank <= best.rank { continue }
                if next.map({ rank > $0.rank }) ?? true { next = Judged(state: state, rank: rank) }
            }
            barren = judge.count == before ? barren + 1 : 0
            idle += 1
            if let next {
                current = next
                tabu.append(next.state)
                if tabu.count > limits.memory { tabu.removeFirst() }
                if next.rank > best.rank {
                    best = next
                    idle = 0
                    raise(&best, &judge, &evaluator)
                    current = best
                }
            }
            if next == nil || idle >= limits.patience {
                current = best
                tabu = [best.state]
                idle = 0
            }
        }
        return false
    }

    /// Steps in a row that find no state that was not judged before.
    private static let barrenLimit = 100

    /// Judges at a higher rate from now on when the best state serves enough at this one.
    private func raise(_ best: inout Judged, _ judge: inout PlanJudge, _ evaluator: inout PlanEvaluator) {
        guard judge.count < limits.evaluations,
            let replicas = evaluator.replicas(best.state.members)
        else { return }
        let rate = judge.rate ?? problem.workload.rate
        guard evaluator.attainment(replicas, rate: rate) >= problem.levels.target else { return }
        let most = PlanDraft(replicas, evaluator).goodput(&evaluator)
        guard most * Self.stretch > rate else { return }
        judge.raise(to: most * Self.stretch)
        if let rank = judge.rank(best.state, &evaluator) { best.rank = rank }
    }
}

/// Counts the states that it judges, and keeps the best.
struct PlanJudge {
    /// Requests per second; nil is that of the workload.
    private(set) var rate: Double?
    private(set) var count = 0
    /// In the order of rank, without repeats; of this rate.
    private var best: [TabuSearch.Judged] = []
    /// The best of lower rates, the highest rate first.
    private var earlier: [SearchState] = []
    /// What was judged at this rate; nil serves nothing.
    private var known: [SearchState: PlanRank?] = [:]

    /// The best first.
    var candidates: [SearchState] {
        let now = best.map(\.state)
        return now + earlier.filter { !now.contains($0) }.prefix(TabuSearch.candidateLimit)
    }

    func knows(_ state: SearchState) -> Bool { known[state] != nil }

    mutating func raise(to rate: Double) {
        self.rate = rate
        earlier = best.prefix(3).map(\.state) + earlier
        best = []
        known = [:]
    }

    private mutating func keep(_ judged: TabuSearch.Judged) {
        if best.count == TabuSearch.candidateLimit, let last = best.last, last.rank >= judged.rank {
            return
        }
        best.insert(judged, at: best.firstIndex { $0.rank < judged.rank } ?? best.count)
        if best.count > TabuSearch.candidateLimit { best.removeLast() }
    }

    /// - Returns: nil, and counts nothing, for a state that serves nothing; a state that was judged before is
    ///   not counted again.
    mutating func rank(_ state: SearchState, _ evaluator: inout PlanEvaluator) -> PlanRank? {
        if let known = known[state] { return known }
        guard let replicas = evaluator.replicas(state.members) else {
            known[state] = .some(nil)
            return nil
        }
        count += 1
        let rank = evaluator.rank(replicas, rate: rate)
        known[state] = rank
        keep(.init(state: state, rank: rank))
        return rank
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
