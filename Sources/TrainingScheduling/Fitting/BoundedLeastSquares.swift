internal import Foundation

/// Least squares within bounds: Levenberg and Marquardt's steps, each brought back into the box.
///
/// A parameter at a bound that its gradient pushes against is left out of the step.
struct BoundedLeastSquares {
    var lower: [Double]
    var upper: [Double]
    /// Steps after which a search ends; they end by themselves long before.
    var stepLimit = 400

    /// - Parameter residuals: of the parameters; as many each time.
    /// - Returns: parameters and the sum of squares there.
    func minimise(
        from start: [Double], _ residuals: ([Double]) -> [Double]
    ) -> (point: [Double], cost: Double) {
        var point = clamped(start)
        var errors = residuals(point)
        var cost = Self.squares(errors)
        var damping = 1e-3
        for _ in 0..<stepLimit {
            let slopes = slopes(at: point, errors, residuals)
            let gradient = slopes.map { zip($0, errors).reduce(0) { $0 + $1.0 * $1.1 } }
            let free = point.indices.filter { index in
                !(point[index] <= lower[index] && gradient[index] > 0)
                    && !(point[index] >= upper[index] && gradient[index] < 0)
            }
            var improved = false
            // Sixteen tenfold steps take any damping to where a step no longer changes the point.
            for _ in 0..<16 {
                guard let step = Self.step(slopes, gradient, free, damping) else {
                    damping *= 10
                    continue
                }
                var next = point
                for (position, index) in free.enumerated() { next[index] -= step[position] }
                next = clamped(next)
                let nextErrors = residuals(next)
                let nextCost = Self.squares(nextErrors)
                if nextCost < cost {
                    improved = cost - nextCost > 1e-15 * cost
                    (point, errors, cost) = (next, nextErrors, nextCost)
                    damping = max(damping / 10, 1e-12)
                    break
                }
                damping *= 10
            }
            if !improved { break }
        }
        return (point, cost)
    }

    private func clamped(_ point: [Double]) -> [Double] {
        point.indices.map { min(max(point[$0], lower[$0]), upper[$0]) }
    }

    private static func squares(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 } }

    /// Differences towards the inside of the box, a column per parameter.
    private func slopes(
        at point: [Double], _ errors: [Double], _ residuals: ([Double]) -> [Double]
    ) -> [[Double]] {
        point.indices.map { index in
            var width = 1e-6 * max(abs(point[index]), 1e-3)
            if point[index] + width > upper[index] { width = -width }
            var moved = point
            moved[index] += width
            return zip(residuals(moved), errors).map { ($0 - $1) / width }
        }
    }

    /// Solves `(JᵀJ + damping · diag) step = Jᵀr` for the free parameters by Cholesky's factors.
    private static func step(
        _ slopes: [[Double]], _ gradient: [Double], _ free: [Int], _ damping: Double
    ) -> [Double]? {
        let count = free.count
        var matrix = [[Double]](repeating: [Double](repeating: 0, count: count), count: count)
        for row in 0..<count {
            for column in 0...row {
                matrix[row][column] = zip(slopes[free[row]], slopes[free[column]]).reduce(0) {
                    $0 + $1.0 * $1.1
                }
            }
            matrix[row][row] = matrix[row][row] * (1 + damping) + 1e-18
        }
        for row in 0..<count {
            for column in 0...row {
                var sum = matrix[row][column]
                for inner in 0..<column { sum -= matrix[row][inner] * matrix[column][inner] }
                if row == column {
                    guard sum > 0 else { return nil }
                    matrix[row][row] = sum.squareRoot()
                } else {
                    matrix[row][column] = sum / matrix[column][column]
                }
            }
        }
        var solution = free.map { gradient[$0] }
        for row in 0..<count {
            for column in 0..<row { solution[row] -= matrix[row][column] * solution[column] }
            solution[row] /= matrix[row][row]
        }
        for row in stride(from: count - 1, through: 0, by: -1) {
            for column in (row + 1)..<max(count, row + 1) {
                solution[row] -= matrix[column][row] * solution[column]
            }
            solution[row] /= matrix[row][row]
        }
        return solution
    }
}
