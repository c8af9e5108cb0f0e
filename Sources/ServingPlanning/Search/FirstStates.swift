/// Where a search begins: groups that few slow links run through.
struct FirstStates {
    let problem: PlanningProblem

    /// Every partition with every choice of phases.
    func all(_ evaluator: inout PlanEvaluator) -> [SearchState] {
        var states: [SearchState] = []
        for partition in partitions(&evaluator) {
            states += phases(partition.groups, spare: partition.spare, &evaluator)
        }
        return states
    }

    /// Partitions of the GPUs, each able to hold the model in every group; the rest is spare.
    func partitions(_ evaluator: inout PlanEvaluator) -> [(groups: [GroupShape], spare: GroupShape)] {
        let nodes = problem.hardware.cluster.nodes
        let wholes = nodes.indices.map { GroupShape([($0, nodes[$0].count)]) }
        let singles = nodes.indices.flatMap { node in
            (0..<nodes[node].count).map { _ in GroupShape([(node, 1)]) }
        }
        let halves = nodes.indices.flatMap { node in
            let count = nodes[node].count
            return [GroupShape([(node, count / 2)]), GroupShape([(node, count - count / 2)])]
                .filter { !$0.isEmpty }
        }
        var found: [(groups: [GroupShape], spare: GroupShape)] = []
        for start in [singles, halves, wholes] {
            let merged = merged(start, &evaluator)
            if !merged.groups.isEmpty, !found.contains(where: { $0.groups == merged.groups }) {
                found.append(merged)
            }
        }
        return found
    }

    /// Merges the smallest group that cannot hold the model with the group that it is best linked to.
    private func merged(
        _ start: [GroupShape], _ evaluator: inout PlanEvaluator
    ) -> (groups: [GroupShape], spare: GroupShape) {
        var groups = start.map { (shape: $0, isUsable: isUsable($0, &evaluator)) }
        while groups.count > 1 {
            let unusable = groups.indices.filter { !groups[$0].isUsable }
            guard let small = unusable.min(by: { groups[$0].shape.gpus < groups[$1].shape.gpus }) else {
                break
            }
            let others = groups.indices.filter { $0 != small }
            let affinities = others.map { other in
                (meanBandwidth(groups[small].shape, groups[other].shape), -groups[other].shape.gpus)
            }
            guard let best = affinities.indices.max(by: { affinities[$0] < affinities[$1] }) else { break }
            let shape = groups[small].shape.adding(groups[others[best]].shape)
            groups[others[best]] = (shape, isUsable(shape, &evaluator))
            groups.remove(at: small)
        }
        let spare = groups.filter { !$0.isUsable }.reduce(GroupShape()) { $0.adding($1.shape) }
        return (groups.filter(\.isUsable).map(\.shape).sorted(by: GroupShape.isBefore), spare)
    }

    private func isUsable(_ shape: GroupShape, _ evaluator: inout PlanEvaluator) -> Bool {
        problem.rules.phases.contains { evaluator.layout(.init(shape: shape, phase: $0)) != nil }
    }

    private func meanBandwidth(_ left: GroupShape, _ right: GroupShape) -> Double {
        var sum = 0.0
        for a in left.shares {
            for b in right.shares {
                let there = problem.hardware.link(a.node, b.node).bandwidth
                let back = problem.hardware.link(b.node, a.node).bandwidth
                sum += Double(a.count * b.count) * (there + back) / 2
            }
        }
        return sum / Double(left.gpus * right.gpus)
    }

    /// The groups of a partition with phases: those with most arithmetic per byte first for prefill, for
    /// every number of them, and all of them for both.
    func phases(_ groups: [GroupShape], spare: GroupShape, _ evaluator: inout PlanEvaluator)
        -> [SearchState]
    {
        let allowed = problem.rules.phases
        var states: [SearchState] = []
        if allowed.contains(.prefill), allowed.contains(.decode) {
            let order = groups.indices.sorted { (-affinity(groups[$0]), $0) < (-affinity(groups[$1]), $1) }
            for count in 1..<max(groups.count, 1) {
                let members = order.enumerated().compactMap { position, index -> PlanEvaluator.Member? in
                    let wanted: Phase = position < count ? .prefill : .decode
                    let other: Phase = position < count ? .decode : .prefill
                    let member = PlanEvaluator.Member(shape: groups[index], phase: wanted)
                    if evaluator.layout(member) != nil { return member }
                    return evaluator.layout(.init(shape: groups[index], phase: other)) == nil
                        ? nil : .init(shape: groups[index], phase: other)
                }
                states.append(state(members, of: groups, spare: spare))
            }
        }
        if allowed.contains(.both) {
            let members = groups.map { PlanEvaluator.Member(shape: $0, phase: .both) }
            states.append(
                state(members.filter { evaluator.layout($0) != nil }, of: groups, spare: spare))
        }
        return states
    }

    /// Groups that got no phase are spare.
    private func state(
        _ members: [PlanEvaluator.Member], of groups: [GroupShape], spare: GroupShape
    ) -> SearchState {
        var left = members.map(\.shape)
        var spare = spare
        for group in groups {
            if let index = left.firstIndex(of: group) {
                left.remove(at: index)
            } else {
                spare = spare.adding(group)
            }
        }
        return SearchState(members, spare: spare)
    }

    /// Arithmetic per byte that is read, as far as engines reach either.
    private func affinity(_ shape: GroupShape) -> Double {
        var flops = 0.0
        var bytes = 0.0
        for share in shape.shares {
            let type = problem.hardware.types[share.node]
            let calibration = problem.hardware.settings.calibration(type)
            flops += Double(share.count) * type.denseTFLOPS * calibration.prefillMFU
            bytes += Double(share.count) * type.bandwidthGBps * calibration.weightMBU
        }
        return flops / bytes
    }
}
