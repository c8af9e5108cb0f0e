/// What a regression minimises.
public enum AsymmetricLoss: Sendable, Hashable {
    /// Absolute errors, those below the truth weighing `q` and those above `1 − q`: a quantile.
    case pinball(Double)
    /// Squared errors weighed likewise: an expectile.
    case expectile(Double)

    /// Errors of a pinball smaller than this weigh as if they were this large.
    private static let leastError = 1e-4

    /// The weight that makes a squared error count as this loss does.
    fileprivate func weight(of error: Double) -> Double {
        switch self {
        case .pinball(let q): (error > 0 ? q : 1 - q) / max(abs(error), Self.leastError)
        case .expectile(let q): error > 0 ? q : 1 - q
        }
    }
}

/// A linear function of standardised features, fitted by weighted least squares over and over: the same rows
/// give the same function on every machine.
public struct LinearModel: Sendable, Hashable {
    /// Rounds; weights change little after some tens.
    private static let rounds = 60

    private let means: [Double]
    private let deviations: [Double]
    /// The constant, then one per feature.
    private let weights: [Double]

    /// - Parameters:
    ///   - rows: features, equally many in each; means and deviations are of these rows alone.
    ///   - targets: one per row.
    ///   - ridge: what the square of a weight costs, per row.
    public init(rows: [[Double]], targets: [Double], loss: AsymmetricLoss, ridge: Double) {
        let columns = (0..<(rows.first?.count ?? 0)).map { column in Moments(rows.map { $0[column] }) }
        let means = columns.map(\.mean)
        let deviations = columns.map { max($0.populationVariance.squareRoot(), 1e-9) }
        let standard = rows.map { row in
            [1] + row.indices.map { (row[$0] - means[$0]) / deviations[$0] }
        }
        var errorWeights = [Double](repeating: 1, count: rows.count)
        var weights = [Double](repeating: 0, count: columns.count + 1)
        for _ in 0..<Self.rounds where !rows.isEmpty {
            weights = Self.leastSquares(standard, targets, errorWeights, ridge)
            errorWeights = zip(standard, targets).map { loss.weight(of: $1 - Self.dot(weights, $0)) }
        }
        self.means = means
        self.deviations = deviations
        self.weights = weights
    }

    public func predict(_ row: [Double]) -> Double {
        var value = weights[0]
        for index in row.indices {
            value += weights[index + 1] * (row[index] - means[index]) / deviations[index]
        }
        return value
    }

    private static func dot(_ a: [Double], _ b: [Double]) -> Double {
        var sum = 0.0
        for index in a.indices { sum += a[index] * b[index] }
        return sum
    }

    private static func leastSquares(
        _ rows: [[Double]], _ targets: [Double], _ weights: [Double], _ ridge: Double
    ) -> [Double] {
        let size = rows[0].count
        let total = weights.reduce(0, +)
        var matrix = [[Double]](repeating: [Double](repeating: 0, count: size + 1), count: size)
        for (index, row) in rows.enumerated() {
            for i in 0..<size {
                let scaled = weights[index] * row[i] / total
                for j in 0..<size { matrix[i][j] += scaled * row[j] }
                matrix[i][size] += scaled * targets[index]
            }
        }
        // The constant is free.
        for i in 1..<max(1, size) { matrix[i][i] += ridge }
        return solve(matrix)
    }

    /// Gauss with row exchanges; a column that depends on others gets no weight.
    private static func solve(_ system: [[Double]]) -> [Double] {
        var matrix = system
        let size = matrix.count
        for column in 0..<size {
            let pivot = (column..<size).max { abs(matrix[$0][column]) < abs(matrix[$1][column]) } ?? column
            matrix.swapAt(column, pivot)
            guard abs(matrix[column][column]) > 1e-12 else { continue }
            for row in 0..<size where row != column {
                let factor = matrix[row][column] / matrix[column][column]
                for index in column...size { matrix[row][index] -= factor * matrix[column][index] }
            }
        }
        return (0..<size).map { abs(matrix[$0][$0]) > 1e-12 ? matrix[$0][size] / matrix[$0][$0] : 0 }
    }
}
