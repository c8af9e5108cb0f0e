/// What predictors are measured against: the peak of the VMs that are there, with knowledge of the future.
public enum PeakOracle {
    /// The peak from a step on: `max over t ≤ s ≤ t + H of Σ min(U(s), L)`, over the VMs that are there at
    /// `t`. Who comes later is left out, and who has gone uses nothing.
    ///
    /// - Parameters:
    ///   - step: an index of `steps`.
    ///   - horizon: steps that are looked ahead; fewer where the samples end.
    ///   - steps: the samples of the host's VMs, a VM at most once per step.
    /// - Returns: cores.
    public static func peak(from step: Int, horizon: Int, in steps: [[VMSample]]) -> Double {
        let present = Set(steps[step].map(\.vm))
        var peak = 0.0
        for vms in steps[step...min(step + horizon, steps.count - 1)] {
            peak = max(peak, vms.reduce(0) { $0 + (present.contains($1.vm) ? $1.clipped.usage : 0) })
        }
        return peak
    }
}
