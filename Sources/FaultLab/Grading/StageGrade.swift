/// How one stage went. Shares are 0 to 1.
public struct StageGrade: Sendable, Hashable, Codable {
    public var stage: Stage
    /// Whether anything of the right form was submitted.
    public var isAnswered: Bool
    public var score: Double
    /// Localisation: exactly what is at fault.
    public var isExact: Bool?
    /// Localisation: whether the first component is at fault.
    public var atOne: Double?
    /// Localisation: the share of what is at fault that is among the first three.
    public var atThree: Double?
    /// Localisation: half of a point where the host was named instead of what stands on it.
    public var nearby: Double?
    /// Analysis, each by itself.
    public var levelIsRight: Bool?
    public var typeIsRight: Bool?
    /// Analysis, when all levels are counted under AIOpsLab's four.
    public var levelIsRightInAIOpsLab: Bool?
    /// Mitigation: what was still missing, or was no repair.
    public var shortcomings: [String]
    /// From the moment the fault showed to the answer that was right, seconds of the fleet's clock.
    public var seconds: Double?

    public init(stage: Stage, isAnswered: Bool = false, score: Double = 0) {
        self.stage = stage
        self.isAnswered = isAnswered
        self.score = score
        shortcomings = []
    }
}

extension StageGrade {
    /// - Parameter hasFault: of the problem as it was put: no-ops have none.
    public static func detection(_ solution: Solution?, hasFault: Bool) -> StageGrade {
        guard case .detection(let hasAnomaly) = solution else { return StageGrade(stage: .detection) }
        return StageGrade(stage: .detection, isAnswered: true, score: hasAnomaly == hasFault ? 1 : 0)
    }

    /// AIOpsLab's rule without its order: all of it when exactly the truth was named, `|truth| / |answer|`
    /// when the answer holds it and more, else nothing.
    public static func localisation(_ solution: Solution?, _ truth: Truth) -> StageGrade {
        var grade = StageGrade(stage: .localisation)
        guard case .localisation(let answer) = solution else { return grade }
        grade.isAnswered = true
        guard truth.hasFault else {
            grade.score = answer.isEmpty ? 1 : 0
            return grade
        }
        let named = distinct(answer, truth)
        let found = hits(named, truth)
        let needed = truth.components.count
        grade.isExact = found == needed && named.count == needed
        grade.score =
            found == needed && !named.isEmpty ? Double(needed) / Double(max(needed, named.count)) : 0
        grade.atOne = named.first.map { truth.holds($0) ? 1 : 0 } ?? 0
        grade.atThree = Double(hits(Array(named.prefix(3)), truth)) / Double(needed)
        let isNear = answer.first.map { first in
            truth.components.contains { $0.host?.means(first) == true }
        }
        grade.nearby = max(grade.atOne ?? 0, isNear == true ? 0.5 : 0)
        return grade
    }

    /// Other names of the same thing are one component of an answer.
    private static func distinct(_ answer: [ComponentName], _ truth: Truth) -> [ComponentName] {
        var seen: Set<String> = []
        var takesAnother = true
        return answer.filter { component in
            guard seen.insert(component.description.lowercased()).inserted else { return false }
            guard truth.components.count == 1, truth.holds(component) else { return true }
            defer { takesAnother = false }
            return takesAnother
        }
    }

    /// How many of the components at fault are named; another name counts for one that is not.
    private static func hits(_ answer: [ComponentName], _ truth: Truth) -> Int {
        let byName = truth.components.filter { component in answer.contains { $0.means(component) } }.count
        let byOther = answer.filter { name in truth.also.contains { $0.means(name) } }.count
        return min(truth.components.count, byName + byOther)
    }

    /// Half for the level, half for the type.
    public static func analysis(_ solution: Solution?, _ truth: Truth) -> StageGrade {
        var grade = StageGrade(stage: .analysis)
        guard case .analysis(let level, let type) = solution else { return grade }
        grade.isAnswered = true
        guard truth.hasFault else {
            grade.score = level == nil && type == nil ? 1 : 0
            return grade
        }
        let levels = truth.systemLevels.map { $0.rawValue.lowercased() }
        let isRight = level.map { levels.contains($0.lowercased()) } ?? false
        grade.levelIsRight = isRight
        grade.levelIsRightInAIOpsLab =
            SystemLevel.allCases.first { $0.rawValue.lowercased() == level?.lowercased() }
            .map { answer in truth.systemLevels.contains { $0.inAIOpsLab == answer.inAIOpsLab } } ?? false
        let types = truth.faultTypes.map { $0.rawValue.lowercased() }
        let typeIsRight = type.map { types.contains($0.lowercased()) } ?? false
        grade.typeIsRight = typeIsRight
        grade.score = (isRight ? 0.5 : 0) + (typeIsRight ? 0.5 : 0)
        return grade
    }

    /// All that is asked of the fleet must hold, for as long as is asked; what was no repair takes its share.
    ///
    /// - Parameters:
    ///   - states: of the fleet over the time it must stay well; without one nothing was seen to hold.
    ///   - isSubmitted: whether the agent said that it was done: a fleet that heals while nobody acts is
    ///     nobody's merit.
    public static func mitigation(
        _ problem: Problem, isSubmitted: Bool, states: [FleetState], writes: [WriteAction]
    ) -> StageGrade {
        var grade = StageGrade(stage: .mitigation, isAnswered: isSubmitted)
        var missing: [String] = states.isEmpty ? ["The fleet was not looked at."] : []
        for state in states where missing.isEmpty { missing = state.missing(problem.accept) }
        if !isSubmitted { missing.append("Nothing was submitted.") }
        // Something may have been put right only where something was wrong and something was done.
        if problem.truth.hasFault, writes.isEmpty { missing.append("Nothing was done.") }
        let broken = problem.rejects.filter { $0.isBroken(by: writes, problem.truth) }
        let credit = broken.map(\.credit).min() ?? 1
        grade.score = missing.isEmpty ? min(1, max(0, credit)) : 0
        grade.shortcomings = missing + broken.map(\.because)
        return grade
    }
}
