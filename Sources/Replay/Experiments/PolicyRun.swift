import Fleet
import VMPlacement

import struct Foundation.UUID

/// One policy on one trace.
struct PolicyRun {
    static let microsecondsPerSecond: Int64 = 1_000_000
    private static let cellName = "simulated"
    private static let poolName = "hosts"

    private let trace: VMTrace
    private let policy: PlacementPolicy
    private let warmUp: Int64
    private let until: Int64
    private let measuresTime: Bool
    private var cell: PlacementCell
    private var isPlaced: [Bool]
    private var request: VMRequest
    private var samples: WindowSamples
    private var stranding: StrandingSamples?
    private var placed = 0
    private var failed = 0
    private var timings = DecisionTimings()
    private let lifetimes: ExperimentLifetimes?
    private var judgement = ClassJudgement()
    /// Questions asked of the model before the window.
    private var warmUpPredictions = 0

    init(
        trace: VMTrace, policy: PlacementPolicy, options: VMExperiment.Options, until: Int,
        lifetimes: ExperimentLifetimes?
    ) {
        self.trace = trace
        self.policy = policy
        warmUp = Int64(options.warmUpSeconds) * Self.microsecondsPerSecond
        self.until = Int64(until) * Self.microsecondsPerSecond
        measuresTime = options.measuresTime
        cell = PlacementCell(name: Self.cellName, hosts: Self.hosts(options))
        self.lifetimes = lifetimes
        if let lifetimes {
            var settings = options.lifetimes
            settings.ladder = policy.ladder
            cell.trackLifetimes(
                settings, model: lifetimes.model, now: Timestamp(microseconds: 0))
        }
        isPlaced = Array(repeating: false, count: trace.vms.count)
        samples = WindowSamples(
            next: warmUp, step: Int64(options.sampleStepSeconds) * Self.microsecondsPerSecond,
            until: self.until)
        if options.measuresStranding {
            stranding = StrandingSamples(host: options.shape.resources, seed: options.seed)
        }
        let workload = WorkloadReference(
            kind: .vm, uid: ID(Self.uuid(0)), project: Self.cellName, name: Self.cellName, part: "vm")
        request = VMRequest(workload: workload, resources: .zero, queuedAt: Timestamp(microseconds: 0))
    }

    /// Handles every event up to the end of the window.
    mutating func replay(_ events: EventClock, clock: some Clock<Duration>) {
        var events = events
        while let event = events.next(), event.time <= until {
            handle(event, clock)
        }
        sample(before: .max)
    }

    private mutating func sample(before time: Int64) {
        let taken = samples.take(before: time, of: cell)
        if taken > 0 { stranding?.take(cell, weight: taken) }
    }

    /// Takes the samples that are due, then lets one VM come or go.
    mutating func handle(_ event: EventClock.Event, _ clock: some Clock<Duration>) {
        sample(before: event.time)
        switch event.kind {
        case .departure: depart(event)
        case .arrival: arrive(event, clock)
        }
    }

    /// The VMs on the host at an index, with their true ends.
    func residents(onHost index: Int) -> [DrainCandidate] {
        cell.lifetimes(on: ID(Self.uuid(index))).map { id, lifetime in
            let row = Self.number(id.uuid)
            return DrainCandidate(
                number: row, lifetime: lifetime, endsAt: Timestamp(microseconds: trace.vms[row].departure))
        }
    }

    private mutating func depart(_ event: EventClock.Event) {
        guard isPlaced[event.row] else { return }
        isPlaced[event.row] = false
        cell.remove(
            allocation: ID(Self.uuid(event.row)), endedAt: Timestamp(microseconds: event.time))
    }

    private mutating func arrive(_ event: EventClock.Event, _ clock: some Clock<Duration>) {
        let shape = trace.vms[event.row].resources
        stranding?.note(shape, at: event.time)
        guard event.time >= warmUp else {
            _ = decide(event)
            warmUpPredictions = cell.lifetimePredictions
            return
        }
        let isDone: Bool
        if measuresTime {
            let start = clock.now
            isDone = decide(event)
            timings.add(start.duration(to: clock.now))
        } else {
            isDone = decide(event)
        }
        if isDone { placed += 1 } else { failed += 1 }
        if let predicted = cell.predictedLifetime(of: request) {
            judgement.add(predicted: predicted, actual: Double(trace.vms[event.row].lifetime) / 1e6)
        }
    }

    /// What models look at beside the size.
    private mutating func describe(_ row: Int) {
        let features = trace.features(row)
        request.class = features.class
        request.workload.project = features.project
        request.attributes = features.attributes
    }

    /// Chooses and commits.
    private mutating func decide(_ event: EventClock.Event) -> Bool {
        request.resources = trace.vms[event.row].resources
        request.lifetimeHint = lifetimes?.hint(event.row)
        if !trace.columns.isEmpty { describe(event.row) }
        let now = Timestamp(microseconds: event.time)
        if lifetimes != nil { cell.advance(to: now, repredicting: policy.repredicts) }
        guard case .place(let choice) = cell.place(request, policy: policy) else { return false }
        let id = ID<Allocation>(Self.uuid(event.row))
        cell.add(
            choice.allocation(for: request, id: id, cell: Self.cellName, plan: nil, now: now),
            lifetime: VMLifetime(features: VMFeatures(request), startedAt: now))
        isPlaced[event.row] = true
        return true
    }

    /// What came of it, after `replay`.
    var result: PolicyResult {
        PolicyResult(
            policy: policy, emptyHostsPct: samples.emptyHostsPct, densityPct: samples.densityPct,
            placed: placed, failed: failed, predictionsPerPlacement: predictionsPerPlacement,
            classAccuracy: judgement.share, decisionsPerSecond: measuresTime ? timings.perSecond : nil,
            decisionP99Us: measuresTime ? timings.p99Microseconds : nil, stranding: stranding?.result,
            emptyHosts: samples.emptyHosts)
    }

    private var predictionsPerPlacement: Double? {
        guard lifetimes != nil, placed > 0 else { return nil }
        let share = Double(cell.lifetimePredictions - warmUpPredictions) / Double(placed)
        return (share * 100).rounded() / 100
    }

    private static func hosts(_ options: VMExperiment.Options) -> [HostSnapshot] {
        let fleet = options.fleet ?? Array(repeating: options.shape.resources, count: options.hosts)
        return fleet.enumerated().map { index, room in
            HostSnapshot(id: ID(uuid(index)), name: "host-\(index)", pool: poolName, capacity: room)
        }
    }

    /// Ids in the order of numbers, so that the order of hosts is the order of their indices.
    private static func uuid(_ number: Int) -> UUID {
        let bits = UInt64(number)
        func byte(_ shift: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: bits >> shift) }
        return UUID(
            uuid: (
                0, 0, 0, 0, 0, 0, 0, 0, byte(56), byte(48), byte(40), byte(32), byte(24), byte(16), byte(8),
                byte(0)
            ))
    }

    /// The number that an id was made of.
    private static func number(_ uuid: UUID) -> Int {
        withUnsafeBytes(of: uuid.uuid) { bytes in bytes.suffix(8).reduce(0) { $0 << 8 | Int($1) } }
    }
}
