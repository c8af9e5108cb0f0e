public import AgentProtocol

/// Bounds and periods of a cell's pipeline.
public struct CellLimits: Sendable {
    /// VMs of one plan: a commit of this size stays near 50 ms. A gang that begins within it goes whole, so
    /// that a plan may be nearly twice as long.
    public var groupsPerPlan = 256
    /// Statuses of one write, for the same reason.
    public var statusesPerWrite = 512
    /// VMs that one cycle looks at for a status to write, most of which need none: some tens of milliseconds.
    public var statusesPerLook = 8192
    /// How often drains are planned anew: some milliseconds for a cell of 5,000 hosts.
    public var drainEvery = Duration.milliseconds(250)
    /// How often pools are looked at for defragmentation.
    public var defragmentEvery = Duration.seconds(5)
    /// Hosts of a pool that are looked at as candidates of a defragmentation: those with the least in use.
    public var defragmentCandidates = 32
    /// A cell's lease, so long that a pause of the runtime does not lose it and so short that a takeover
    /// commits within ten seconds of a crash.
    public var lease = Duration.seconds(6)
    /// Renewals per lease: two may be lost.
    public var renewEvery = Duration.seconds(2)
    /// How often host leases are judged.
    public var judgeEvery = Duration.seconds(1)
    /// How often the cell is counted for metrics: some milliseconds for 50,000 allocations.
    public var measureEvery = Duration.seconds(5)
    /// How often free room is measured, beside the pipeline.
    public var roomEvery = Duration.seconds(60)
    /// How long after a cell is loaded that is done first: what was pending has settled by then.
    public var roomFirstAfter = Duration.seconds(5)
    /// Hosts that one filling up of a pool looks at, some milliseconds: 10,000 hosts take no longer than a
    /// few hundred.
    public var roomSteps = 4_000_000
    /// Shortest time from the start of one cycle that found work to the next: under load VMs then go into
    /// plans together, which costs a fraction of one plan each. A cell at rest answers at once.
    public var cycleAtMostEvery = Duration.milliseconds(25)
    /// How often what moved on hosts of lifetimes is written down while no plan does; deadlines are looked at
    /// then.
    public var rememberEvery = Duration.seconds(1)
    /// Hosts of which nothing was written down yet that one note takes along: some milliseconds.
    public var firstNotes = 128
    /// How often it is looked whether a pool is due for another model.
    public var retrainLookEvery = Duration.seconds(5)
    /// How often approved and due decisions about ratios are looked for: one small read.
    public var rateEvery = Duration.seconds(1)
    /// How often all hosts are compared with the ratios in force: a second for 20,000 hosts.
    public var followRatesEvery = Duration.seconds(600)
    /// How late hours of use may come on the lease clock; what that is on a fast fleet clock is no silence.
    public var usageLag = Duration.seconds(30)
    /// Least time between two sweeps over the peaks of VMs, which are due once an hour of the fleet clock.
    public var peaksEvery = Duration.seconds(1)
    /// VMs whose peaks one cycle looks at: a read of their two weeks, some tens of milliseconds.
    public var peaksPerLook = 256
    /// How often it is looked for what guards ask for, while hosts are guarded.
    public var relieveEvery = Duration.milliseconds(500)
    /// How often training jobs are looked at anew, though nothing has changed: gates open with time.
    public var trainEvery = Duration.seconds(5)
    /// How often they are when something has: jobs that come together are decided together.
    public var trainAtMostEvery = Duration.milliseconds(200)
    /// How often it is read how far jobs are.
    public var progressEvery = Duration.seconds(2)
    /// How often it is written down what projects used: less than anybody would notice is lost with a process.
    public var rememberTrainingEvery = Duration.seconds(30)
    /// How long room is kept for a shape whose hosts do not give it free: longer than any checkpoint.
    public var promiseAtMost = Duration.seconds(3600)
    /// Longest rest of an idle pipeline.
    public var restAtMost = Duration.seconds(1)
    /// Share of a failure domain that may go silent within a minute before a human is asked.
    public var breaker = 0.1
    /// A host that is lost so often within `flapWindow` is cordoned: it is worse than one that is gone.
    public var flaps = 3
    public var flapWindow = Duration.seconds(600)
    /// How often hosts are looked at whose devices are not sound, or that are to be mended.
    public var repairEvery = Duration.seconds(1)
    /// How long a mended host has to show no defect: four looks of its agent.
    public var repairVerify = Duration.seconds(20)
    /// Share of a cell's hosts that are taken out for their devices by themselves; one always is, unless it is
    /// 0. A driver that makes every device look broken must not empty the cell.
    public var repairsAtMost = 0.1
    public var terms = LeaseTerms.standard

    public init() {}
}
