internal import Fleet
internal import Oversubscription

extension PredictionExperiment {
    /// Judges the predictors on many hosts: the VMs of a trace dealt out in a random order, there from the
    /// beginning to the end. Steps are judged from the warm-up on, every `oracleEvery`, as far as a whole
    /// horizon follows.
    ///
    /// - Parameters:
    ///   - hosts: at most as many as there are VMs.
    ///   - warmUp: steps at the beginning that are not judged.
    ///   - seed: of the order.
    /// - Throws: `OptionError` when no step or no VM is left.
    public func judge(
        _ trace: UsageTrace, hosts: Int, warmUp: Int, seed: UInt64
    ) throws(OptionError) -> [PredictorJudgement] {
        let series = trace.limited(to: .infinity).series
        try OptionError.check("groups", hosts, in: 1...max(1, series.count))
        let steps = trace.steps
        let last = steps - options.horizon - 1
        guard !series.isEmpty, warmUp >= 0, warmUp <= last else {
            throw OptionError(
                field: "warm-up-steps", value: "\(warmUp)",
                expected: "0 to \(max(0, last)), so that a horizon of \(options.horizon) follows",
                nearest: "\(max(0, min(warmUp, last)))")
        }
        let order = LinearCongruence.order(series.count, seed: seed)
        var tallies = options.predictors.map { _ in JudgementTally() }
        for host in 0..<hosts {
            let members = stride(from: host, to: order.count, by: hosts).map { series[order[$0]] }
            judge(members, steps: steps, judged: warmUp...last, &tallies)
        }
        return zip(tallies, options.predictors).map {
            $0.judgement(of: $1.column(minimumSamples: options.minimumSamples))
        }
    }

    /// One host.
    private func judge(
        _ members: [UsageSeries], steps: Int, judged: ClosedRange<Int>, _ tallies: inout [JudgementTally]
    ) {
        let used = members.map { $0.usedCores(steps: steps) }
        let totals = (0..<steps).map { step in used.reduce(0) { $0 + $1[step] } }
        let limit = members.reduce(0) { $0 + $1.cores }
        var predictors = options.predictors.map {
            $0.predictor(minimumSamples: options.minimumSamples, stepsPerDay: options.stepsPerDay)
        }
        for step in 0...judged.upperBound {
            let vms = members.indices.map {
                VMSample(vm: $0, usage: used[$0][step], limit: members[$0].cores)
            }
            for index in predictors.indices { predictors[index].record(vms, step: step) }
            guard judged.contains(step), step % options.oracleEvery == 0 else { continue }
            // Nobody comes or goes: the oracle's peak is that of the sums.
            let peak = totals[step...step + options.horizon].max() ?? 0
            for index in predictors.indices {
                tallies[index].add(prediction: predictors[index].peak(), peak: peak, limit: limit)
            }
        }
    }
}
