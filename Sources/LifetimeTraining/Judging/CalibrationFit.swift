import Foundation
import VMPlacement

/// What the trees' answers mean in lifetimes left, as seen on rows that the trees did not learn from.
enum CalibrationFit {
    private static let groups = 16

    private struct Group {
        var predicted: Double
        var lifetime: Double
        var weight: Double

        mutating func join(_ other: Group) {
            let sum = weight + other.weight
            predicted = (predicted * weight + other.predicted * other.weight) / sum
            lifetime = (lifetime * weight + other.lifetime * other.weight) / sum
            weight = sum
        }
    }

    /// Sixteen groups of equal weight in the order of the answers, neighbours joined until means do not fall
    /// (pool adjacent violators, Ayer et al. 1955).
    static func fit(_ trees: TreeEnsemble, _ table: ExampleTable) -> Calibration {
        let answers = (0..<table.count).map { trees.sum(table.vector($0)) }
        let order = answers.indices.sorted { (answers[$0], $0) < (answers[$1], $1) }
        let share = table.weights.reduce(0) { $0 + Double($1) } / Double(groups)
        var pooled: [Group] = []
        var current: Group?
        for row in order {
            let one = Group(
                predicted: Double(answers[row]), lifetime: pow(10, Double(table.targets[row])),
                weight: Double(table.weights[row]))
            if var group = current {
                group.join(one)
                current = group
            } else {
                current = one
            }
            if let group = current, group.weight >= share {
                pool(group, into: &pooled)
                current = nil
            }
        }
        if let current { pool(current, into: &pooled) }
        return calibration(pooled)
    }

    private static func pool(_ group: Group, into pooled: inout [Group]) {
        var group = group
        while let last = pooled.last, last.lifetime >= group.lifetime || last.predicted >= group.predicted {
            group.join(last)
            pooled.removeLast()
        }
        pooled.append(group)
    }

    private static func calibration(_ groups: [Group]) -> Calibration {
        var predicted: [Float] = []
        var actual: [Float] = []
        for group in groups where predicted.last.map({ $0 < Float(group.predicted) }) ?? true {
            predicted.append(Float(group.predicted))
            actual.append(Float(log10(group.lifetime)))
        }
        return Calibration(predicted: predicted, actual: actual) ?? .none
    }
}
