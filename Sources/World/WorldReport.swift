public import FaultLab
internal import Fleet
internal import Synchronization

/// What became of a world.
public struct WorldReport: Sendable, Hashable {
    public var seed: UInt64
    /// Of everything that happened and of what the store held at the end: equal for equal seeds, in every
    /// process.
    public var traceHash: UInt64
    /// Steps of tasks.
    public var steps: Int
    public var simulated: Duration
    public var faultsInjected: [FaultKind: Int]
    /// Broken invariants, what did not recover, and what must not happen; empty when all is well.
    public var violations: [WorldViolation]
    /// The last events before the first violation; empty without one.
    public var lastEvents: [String]
    /// Seconds until hosts were said to be lost, and from the fault's end until they were back; by kind.
    public var detection: [FaultKind: [Double]]
    public var repair: [FaultKind: [Double]]
    /// VMs that were made, and events that the store wrote.
    public var vms: Int
    public var events: Int
    /// Times that the ledger had changed and was judged at once.
    public var ledgerLooks: Int

    init(_ world: World, jobs: Int) {
        let verdict = world.verdict.withLock { $0 }
        seed = world.configuration.seed
        traceHash = world.trace.hash
        steps = jobs
        simulated = world.now
        faultsInjected = world.outcomes.injected
        violations =
            verdict.violations
            + world.failed.map { WorldViolation(at: world.now, invariant: "world", subject: "", message: $0) }
        lastEvents = verdict.lastEvents
        detection = world.outcomes.detection
        repair = world.outcomes.repair
        vms = verdict.vms
        events = verdict.events
        ledgerLooks = world.ledger.looks
    }
}

/// Something that must not be.
public struct WorldViolation: Sendable, Hashable, CustomStringConvertible {
    /// Time since the world began when it was found.
    public var at: Duration
    /// An invariant's name, `liveness` or `world`.
    public var invariant: String
    public var subject: String
    public var message: String

    public var description: String { "\(at.inSeconds) s: \(invariant): \(subject): \(message)" }
}

/// What the judge found so far.
struct Verdict: Sendable {
    var violations: [WorldViolation] = []
    var lastEvents: [String] = []
    var vms = 0
    var events = 0
}
