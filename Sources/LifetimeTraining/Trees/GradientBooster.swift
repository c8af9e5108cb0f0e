import VMPlacement

/// Adds trees, each fitted to what the ones before it leave (Friedman 2001), with the square error.
struct GradientBooster {
    let settings: TrainingSettings

    /// What came of it.
    struct Outcome {
        var trees: TreeEnsemble
        /// Roots of the mean square errors after the last tree that is kept.
        var trainingError: Double
        var validationError: Double
    }

    /// - Parameter validation: rows on which training stops; nil makes `settings.trees` trees.
    func fit(_ table: ExampleTable, validation: ExampleTable?) async -> Outcome {
        let base = Self.mean(table)
        var trees = TreeEnsemble(base: base, featureCount: table.columns.count)
        var grower = TreeGrower(BinnedTable(table.columns), weights: table.weights, settings: settings)
        var residuals = table.targets.map { $0 - base }
        let judged = validation.map { validation in (0..<validation.count).map(validation.vector) } ?? []
        var rest = validation?.targets.map { $0 - base } ?? []
        let vectors = (0..<table.count).map(table.vector)
        var best = Outcome(
            trees: trees, trainingError: Self.error(residuals, table.weights),
            validationError: Self.error(rest, validation?.weights ?? []))
        for number in 0..<settings.trees where !Task.isCancelled {
            // A controller trains while it places: nobody waits longer than for one tree.
            await Task.yield()
            let rows = sample(table, tree: number)
            let nodes = grower.grow(on: rows, residuals: residuals)
            // why: a grown tree has its children behind their parents; one that is refused ends training
            guard nodes.count > 1, (try? trees.append(nodes)) != nil else { break }
            for row in residuals.indices { residuals[row] -= trees.answer(of: number, vectors[row]) }
            for row in rest.indices { rest[row] -= trees.answer(of: number, judged[row]) }
            let error = Self.error(rest, validation?.weights ?? [])
            if validation == nil || error < best.validationError {
                best = Outcome(
                    trees: trees, trainingError: Self.error(residuals, table.weights), validationError: error)
            }
            if number + 1 - best.trees.count >= settings.patience { break }
        }
        return best
    }

    /// The rows of the VMs that one tree looks at.
    private func sample(_ table: ExampleTable, tree: Int) -> [Int32] {
        var random = SplitMix64(seed: settings.seed ^ (UInt64(tree) &+ 1) &* 0xd6e8_feb8_6659_fd93)
        let salt = random.next()
        let limit = UInt64(min(max(settings.rowShare, 0.01), 1) * 0x1p32)
        return (0..<Int32(table.count)).filter { row in
            var draw = SplitMix64(seed: salt ^ UInt64(table.vms[Int(row)]))
            return draw.next() >> 32 < limit
        }
    }

    private static func mean(_ table: ExampleTable) -> Float {
        var sum = 0.0
        var weight = 0.0
        for row in 0..<table.count {
            sum += Double(table.targets[row] * table.weights[row])
            weight += Double(table.weights[row])
        }
        return weight > 0 ? Float(sum / weight) : 0
    }

    private static func error(_ residuals: [Float], _ weights: [Float]) -> Double {
        var sum = 0.0
        var weight = 0.0
        for (residual, part) in zip(residuals, weights) {
            sum += Double(residual * residual * part)
            weight += Double(part)
        }
        return weight > 0 ? (sum / weight).squareRoot() : 0
    }
}
