import Fleet
import VMPlacement

/// Replays a trace against an empty fleet of equal hosts, once per policy: `basalt simulate vms`.
public struct VMExperiment: Sendable {
    /// As given, valid.
    public let options: Options

    /// - Throws: `OptionError` for options that cannot be used.
    public init(options: Options) throws(OptionError) {
        try options.validate()
        self.options = options
    }

    /// Reads the trace and runs every policy on it.
    ///
    /// - Parameter clock: read only when `options.measuresTime`.
    /// - Returns: one result per policy, in the order of the options.
    /// - Throws: `TraceError`, or `OptionError` when the trace ends within the warm-up.
    public func run(reading source: TraceSource, clock: some Clock<Duration>) throws -> [PolicyResult] {
        try run(VMTraceReader(shard: options.shard).read(source), clock: clock)
    }

    /// Runs every policy on a trace; the shard of the options has no effect here.
    ///
    /// - Throws: `OptionError` when the trace ends within the warm-up, or `TraceError` for a file of
    ///   lifetimes.
    public func run(_ trace: VMTrace, clock: some Clock<Duration>) throws -> [PolicyResult] {
        let (until, lifetimes) = try prepare(trace)
        let events = EventClock(trace)
        return options.policies.map { policy in
            var run = PolicyRun(
                trace: trace, policy: policy, options: options, until: until,
                lifetimes: policy.needsLifetimes ? lifetimes : nil)
            run.replay(events, clock: clock)
            return run.result
        }
    }

    /// The end of the run, in seconds, and the model that all policies share.
    func prepare(_ trace: VMTrace) throws -> (until: Int, lifetimes: ExperimentLifetimes?) {
        let until = options.untilSeconds ?? Int(trace.lastArrival / PolicyRun.microsecondsPerSecond)
        try options.checkWindow(until: until)
        let lifetimes = try options.prediction.map {
            try ExperimentLifetimes(
                $0, trace: trace, warmUp: Int64(options.warmUpSeconds) * PolicyRun.microsecondsPerSecond,
                seed: options.seed)
        }
        return (until, lifetimes)
    }
}
