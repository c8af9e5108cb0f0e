import Testing

@testable import ServingPlanning

struct RoutingTests {
    private var golden: RoutingProblem {
        RoutingProblem(
            rate: 10, prefillRates: [6 * 0.85, 7 * 0.85], decodeRates: [5 * 0.9, 9 * 0.9],
            attainment: [[0.95, 0.60], [0.80, 0.90]], linkRates: [[100, 100], [100, 100]])
    }

    private func isNearly(_ shares: [[Double]], _ expected: [[Double]]) -> Bool {
        zip(shares.flatMap { $0 }, expected.flatMap { $0 }).allSatisfy { isNear($0, $1) }
    }

    @Test func routesEqualTheGoldenValues() {
        let routing = golden.solve()
        #expect(isNearly(routing.shares, [[0.45, 0], [0, 0.55]]), "\(routing.shares)")
        #expect(isNear(routing.attainment, 0.9225))
    }

    @Test func aNarrowLinkMovesTheGoldenRoutes() {
        var problem = golden
        problem.linkRates[0][0] = 3
        let routing = problem.solve()
        #expect(isNearly(routing.shares, [[0.30, 0.105], [0, 0.595]]), "\(routing.shares)")
        #expect(isNear(routing.attainment, 0.8835))
    }

    private func random(_ draws: inout Draws) -> RoutingProblem {
        let rows = 1 + draws.below(4)
        let columns = 1 + draws.below(4)
        func rates(_ count: Int) -> [Double] { (0..<count).map { _ in Double(draws.below(60)) / 10 } }
        var problem = RoutingProblem(
            rate: 10, prefillRates: rates(rows), decodeRates: rates(columns),
            attainment: (0..<rows).map { _ in (0..<columns).map { _ in Double(draws.below(101)) / 100 } },
            linkRates: (0..<rows).map { _ in rates(columns) })
        guard draws.below(2) == 0 else { return problem }
        func steps(_ rates: [Double]) -> [[LoadStep]] {
            rates.map { [LoadStep(rate: $0 / 2, loss: 0), LoadStep(rate: $0 / 2, loss: 0.2)] }
        }
        problem.prefillSteps = steps(problem.prefillRates)
        problem.decodeSteps = steps(problem.decodeRates)
        return problem
    }

    @Test func routesRespectEveryCapacity() {
        var draws = Draws(seed: 11)
        for _ in 0..<500 {
            let problem = random(&draws)
            let routing = problem.solve()
            #expect(routing.served <= 1 + 1e-9)
            for (row, rate) in problem.prefillRates.enumerated() {
                #expect(routing.prefillShare(row) * 10 <= rate + 1e-6)
                for (column, link) in problem.linkRates[row].enumerated() {
                    #expect(routing.shares[row][column] * 10 <= link + 1e-6)
                    #expect(routing.shares[row][column] >= 0)
                }
            }
            for (column, rate) in problem.decodeRates.enumerated() {
                #expect(routing.decodeShare(column) * 10 <= rate + 1e-6)
            }
        }
    }

    /// Strong duality: what all capacities are worth together is what the routes attain, so both are optimal.
    @Test func dualsPayForTheWhole() {
        var draws = Draws(seed: 13)
        for _ in 0..<500 {
            var problem = random(&draws)
            (problem.prefillSteps, problem.decodeSteps) = ([], [])
            let routing = problem.solve()
            var paid = routing.requestWorth
            for (row, rate) in problem.prefillRates.enumerated() {
                paid += routing.prefillWorth[row] * rate / 10
                for (column, link) in problem.linkRates[row].enumerated() {
                    paid += routing.linkWorth[row][column] * link / 10
                }
            }
            for (column, rate) in problem.decodeRates.enumerated() {
                paid += routing.decodeWorth[column] * rate / 10
            }
            #expect(isNear(paid, routing.attainment, within: 1e-7), "\(problem)")
        }
    }

    @Test func moreCapacityIsNeverWorse() {
        var draws = Draws(seed: 17)
        for _ in 0..<300 {
            var problem = random(&draws)
            (problem.prefillSteps, problem.decodeSteps) = ([], [])
            let before = problem.solve().attainment
            problem.prefillRates[draws.below(problem.prefillRates.count)] += 1
            problem.decodeRates[draws.below(problem.decodeRates.count)] += 1
            #expect(problem.solve().attainment >= before - 1e-9)
            #expect(problem.saturation() >= before * 10 - 1e-6)
        }
    }

    /// What a capacity is worth lies between what less of it loses and what more of it gains.
    @Test func worthIsTheDifferenceOfASolutionAnew() {
        var draws = Draws(seed: 19)
        var worthy = 0
        for _ in 0..<300 {
            var problem = random(&draws)
            (problem.prefillSteps, problem.decodeSteps) = ([], [])
            let base = problem.solve()
            let step = 1e-4
            func value(_ edit: (inout RoutingProblem) -> Void) -> Double {
                var other = problem
                edit(&other)
                return other.solve().attainment
            }
            for row in problem.prefillRates.indices where problem.prefillRates[row] > step {
                let worth = base.prefillWorth[row] * step / 10
                if worth > 0 { worthy += 1 }
                #expect(value { $0.prefillRates[row] += step } - base.attainment <= worth + 1e-9)
                #expect(base.attainment - value { $0.prefillRates[row] -= step } >= worth - 1e-9)
            }
            for column in problem.decodeRates.indices where problem.decodeRates[column] > step {
                let worth = base.decodeWorth[column] * step / 10
                #expect(value { $0.decodeRates[column] += step } - base.attainment <= worth + 1e-9)
                #expect(base.attainment - value { $0.decodeRates[column] -= step } >= worth - 1e-9)
            }
        }
        #expect(worthy > 50, "\(worthy)")
    }

    @Test func nothingToServeWithIsNoRoutes() {
        let problem = RoutingProblem(
            rate: 1, prefillRates: [0], decodeRates: [1], attainment: [[1]], linkRates: [[1]])
        #expect(problem.solve().served == 0)
    }
}
