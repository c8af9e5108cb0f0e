internal import Fleet
internal import Store
internal import TrainingScheduling

/// A training job of a cell, its documents read.
struct TrainingJobRecord: PartedWorkload {
    static let kind = Kind.trainingJob
    static let engine = Plan.Engine.training

    var metadata: Metadata
    var spec: TrainingJobSpec
    var status: TrainingJobStatus
    /// Parts that ended, while the status names them.
    var ends: [ID<Allocation>: TrainingPartEnd] = [:]
    /// What it is to hold next. The room is kept for it until it holds it, or until it is given up.
    var promise: TrainingPromise?
    /// Why the last round left it waiting.
    var wait: TrainingWait?
    /// What measured steps changed of its prediction.
    var calibration: TrainingCalibration?
    /// What its ranks told last.
    var progress: TrainingProgress?
    /// Not looked at before: ranks failed, or the ledger refused it.
    var notBefore: Timestamp?
    var refusals = 0

    init(_ resource: Resource) throws {
        metadata = resource.metadata
        spec = try Self.decoded(TrainingJobSpec.self, resource.spec)
        status =
            resource.status == "{}"
            ? TrainingJobStatus() : try Self.decoded(TrainingJobStatus.self, resource.status)
        calibration = status.calibration
    }

    /// One that is not there.
    init(metadata: Metadata, spec: TrainingJobSpec) {
        self.metadata = metadata
        self.spec = spec
        status = TrainingJobStatus()
    }

    var named: [ID<Allocation>] { status.parts.map(\.allocation) }

    mutating func inherit(from known: any PartedWorkload) {
        guard let known = known as? Self else { return }
        let named = Set(named)
        ends = known.ends.filter { named.contains($0.key) }
        promise = known.promise
        wait = known.wait
        calibration = known.calibration
        progress = known.progress
        notBefore = known.notBefore
        refusals = known.refusals
        // The status says itself by now what it holds.
        if let promise, promise.isHeld, status.shape == promise.shape, !status.parts.isEmpty {
            self.promise = nil
        }
    }

    mutating func ended(_ allocation: Allocation, wasAsked: Bool) {
        let isStopping = status.state == .checkpointing || status.state == .stopping
        let end = TrainingPartEnd(
            exitCode: allocation.end?.exitCode, wasAsked: wasAsked || isStopping,
            at: allocation.releasedAt)
        if !end.wasAsked, end.exitCode != 0, let at = end.at {
            let step = min(status.failures, Self.backOffSteps)
            notBefore = at.advanced(by: .seconds(1 << step) - .seconds(1))
        }
        ends[allocation.id] = end
        if let held = promise, held.isHeld { promise = nil }
    }

    /// 2⁸ − 1 s, about four minutes, is the longest wait between starts of a job whose ranks fail.
    static let backOffSteps = 8
    /// 2⁴ s is the longest wait after a refusal: nothing here tells when its reason has gone.
    static let refusalSteps = 4

    mutating func refused(_ reason: Reason, now: Timestamp) {
        let needs = promise?.point.placement ?? []
        promise = nil
        // What the snapshot was behind of is read anew; only the quota is not to be seen in it.
        guard reason == .quotaExceeded else { return }
        notBefore = now.advanced(by: .seconds(1 << min(refusals, Self.refusalSteps)))
        refusals += 1
        wait = TrainingWait(
            reason: .waitingForQuota, shortfallDevices: 0, needs: needs,
            message: "the quota of the project is used up")
    }

    /// As it is by what the ledger holds, whatever its document says yet.
    func current(_ parts: [PartView], now: Timestamp) -> TrainingJobStatus {
        var status = status
        _ = status.follow(
            TrainingJobStatus.News(
                parts: parts, ends: ends, shape: promise?.shape, progress: progress,
                calibration: calibration, wait: wait,
                isDeleting: metadata.deletionTimestamp != nil), of: spec, now: now)
        return status
    }

    func settled(_ parts: [PartView], now: Timestamp) throws -> Settlement? {
        var next = status
        let told = next.follow(
            TrainingJobStatus.News(
                parts: parts, ends: ends, shape: promise?.shape, progress: progress,
                calibration: calibration, wait: wait,
                isDeleting: metadata.deletionTimestamp != nil), of: spec, now: now)
        next.observedGeneration = metadata.generation
        next.cell = spec.cell ?? status.cell
        guard next != status else { return nil }
        return Settlement(status: try CellPipeline.encoded(next), event: told)
    }
}

/// How a part ended, as far as its job cares.
struct TrainingPartEnd: Sendable {
    /// Nil where nobody knows: its host is lost.
    var exitCode: Int?
    /// Whether it was asked to.
    var wasAsked: Bool
    var at: Timestamp?
}

/// A shape that a round gave a job.
struct TrainingPromise: Sendable {
    struct Share: Sendable, Hashable {
        var host: ID<Document>
        var devices: Int
    }

    var shares: [Share]
    var point: SpeedPoint
    /// In words, for events.
    var message: String
    var since: Timestamp
    /// Whether the ledger holds it.
    var isHeld = false

    var shape: TrainingShape {
        TrainingShape(
            placement: point.placement, plan: point.plan, secondsPerStep: point.secondsPerStep)
    }
}
