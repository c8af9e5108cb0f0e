/// One way to part the GPUs: groups with their phases, and GPUs that no group uses.
struct SearchState: Hashable {
    /// In the order of shape and phase, so that equal states are equal values.
    private(set) var members: [PlanEvaluator.Member]
    var spare: GroupShape

    init(_ members: [PlanEvaluator.Member], spare: GroupShape = .init()) {
        self.members = members.sorted(by: Self.isBefore)
        self.spare = spare
    }

    private static func isBefore(_ left: PlanEvaluator.Member, _ right: PlanEvaluator.Member) -> Bool {
        if left.shape != right.shape { return GroupShape.isBefore(left.shape, right.shape) }
        return left.phase.rawValue < right.phase.rawValue
    }

    /// The same with some groups in the place of others.
    func replacing(_ indices: Set<Int>, with new: [PlanEvaluator.Member], spare: GroupShape? = nil)
        -> SearchState
    {
        let kept = members.indices.filter { !indices.contains($0) }.map { members[$0] }
        return SearchState(kept + new.filter { !$0.shape.isEmpty }, spare: spare ?? self.spare)
    }
}

/// Random steps from one state to another: flip, split, merge, move.
struct Neighbourhood {
    let phases: [Phase]
    private var random: SplitMix64

    init(phases: [Phase], seed: UInt64) {
        self.phases = phases
        random = SplitMix64(seed: seed)
    }

    /// - Returns: nil when the step that was drawn is not possible here.
    mutating func step(from state: SearchState) -> SearchState? {
        switch random.below(10) {
        case 0..<3: flip(state)
        case 3..<5: split(state)
        case 5..<7: merge(state)
        default: move(state)
        }
    }

    /// Of several times as many neighbours as are wanted, those whose replicas could serve most.
    mutating func promising(
        _ wanted: Int, of state: SearchState, _ judge: inout PlanJudge, _ evaluator: inout PlanEvaluator
    ) -> [SearchState] {
        var found: [(state: SearchState, most: Double)] = []
        var attempts = 0
        while found.count < wanted * TabuSearch.drawn, attempts < 20 * wanted {
            attempts += 1
            guard let next = step(from: state), !judge.knows(next),
                !found.contains(where: { $0.state == next }),
                let replicas = evaluator.replicas(next.members)
            else { continue }
            found.append((next, evaluator.most(replicas)))
        }
        let order = found.indices.sorted { (-found[$0].most, $0) < (-found[$1].most, $1) }
        return order.prefix(wanted).map { found[$0].state }
    }

    private mutating func flip(_ state: SearchState) -> SearchState? {
        guard !state.members.isEmpty else { return nil }
        let index = random.below(state.members.count)
        var member = state.members[index]
        guard let phase = random.choice(phases.filter { $0 != member.phase }) else { return nil }
        member.phase = phase
        return state.replacing([index], with: [member])
    }

    private mutating func split(_ state: SearchState) -> SearchState? {
        let candidates = state.members.indices.filter { state.members[$0].shape.gpus > 1 }
        guard let index = random.choice(candidates) else { return nil }
        let member = state.members[index]
        var part = GroupShape()
        let shares = member.shape.shares
        if shares.count > 1, random.below(2) == 0 {
            for share in shares where random.below(2) == 0 { part.add(node: share.node, share.count) }
        } else {
            for share in shares {
                // Halves are the most useful of all cuts: they keep blocks of powers of two.
                let taken = random.below(2) == 0 ? share.count / 2 : random.below(share.count + 1)
                part.add(node: share.node, taken)
            }
        }
        let rest = Self.difference(member.shape, part)
        guard !part.isEmpty, !rest.isEmpty, let phase = random.choice(phases) else { return nil }
        return state.replacing(
            [index], with: [.init(shape: rest, phase: member.phase), .init(shape: part, phase: phase)])
    }

    private mutating func merge(_ state: SearchState) -> SearchState? {
        guard state.members.count > 1 else { return nil }
        let first = random.below(state.members.count)
        var second = random.below(state.members.count - 1)
        if second >= first { second += 1 }
        guard let phase = random.choice(phases) else { return nil }
        let shape = state.members[first].shape.adding(state.members[second].shape)
        return state.replacing([first, second], with: [.init(shape: shape, phase: phase)])
    }

    /// GPUs of one node go from one group to another, or from or to those that are spare.
    private mutating func move(_ state: SearchState) -> SearchState? {
        let count = state.members.count
        // The last index stands for the spare GPUs.
        let from = random.below(count + (state.spare.isEmpty ? 0 : 1))
        let source = from < count ? state.members[from].shape : state.spare
        guard let share = random.choice(source.shares) else { return nil }
        let sizes = [1, 2, 4, share.count].filter { $0 <= share.count }
        guard let taken = random.choice(sizes) else { return nil }
        let to = random.below(count + 1)
        guard to != from, !(from >= count && to >= count) else { return nil }
        var left = source
        left.add(node: share.node, -taken)
        var spare = from < count ? state.spare : left
        var indices: Set<Int> = []
        var new: [PlanEvaluator.Member] = []
        if from < count {
            indices.insert(from)
            new.append(.init(shape: left, phase: state.members[from].phase))
        }
        if to < count {
            indices.insert(to)
            var shape = state.members[to].shape
            shape.add(node: share.node, taken)
            new.append(.init(shape: shape, phase: state.members[to].phase))
        } else if random.below(2) == 0 {
            spare.add(node: share.node, taken)
        } else {
            var shape = GroupShape()
            shape.add(node: share.node, taken)
            guard let phase = random.choice(phases) else { return nil }
            new.append(.init(shape: shape, phase: phase))
        }
        return state.replacing(indices, with: new, spare: spare)
    }

    private static func difference(_ whole: GroupShape, _ part: GroupShape) -> GroupShape {
        var rest = whole
        for share in part.shares { rest.add(node: share.node, -share.count) }
        return rest
    }
}
