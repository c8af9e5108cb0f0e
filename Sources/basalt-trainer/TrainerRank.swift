internal import FaultLab
internal import FaultSeam
internal import Foundation

/// One rank from its start to its end. The first of a job keeps the checkpoint and tells how far the job is; the others
/// keep pace with it by the clock.
struct TrainerRank {
    private struct Progress: Encodable {
        var step: Int
        var checkpointStep: Int
        var iterationMilliseconds: Double?
    }

    /// Between two words about progress.
    private static let tellEvery = Duration.milliseconds(250)

    private let settings: TrainerSettings
    private var signals: StopSignals
    private var checkpoint: TrainerCheckpoint
    private var step: Int
    private var iteration: Double?
    private var toldAt: ContinuousClock.Instant?
    private let seam: FaultSeam?

    /// How much longer a step takes with a straggler among the ranks, as a share of the step.
    private static let straggling = 0.6

    private var leads: Bool { settings.rank == 0 }

    init(_ settings: TrainerSettings, signals: StopSignals) throws {
        self.settings = settings
        self.signals = signals
        seam = try settings.faultSeam.map { try FaultSeam($0) }
        let found = try settings.checkpointDirectory.flatMap(TrainerCheckpoint.read)
        checkpoint =
            found ?? TrainerCheckpoint(step: 0, globalBatch: settings.globalBatch, runs: [])
        step = checkpoint.step
        guard checkpoint.globalBatch == settings.globalBatch else {
            throw TrainerError(
                "the checkpoint is of a global batch of \(checkpoint.globalBatch), not \(settings.globalBatch)"
            )
        }
    }

    /// - Returns: the exit code.
    mutating func run() throws -> Int32 {
        if seam != nil { say(FaultSeam.warning) }
        say("\(settings.plan) of \(settings.worldSize) from step \(step) of \(settings.steps)")
        checkpoint.runs.append(
            .init(from: step, plan: settings.plan, worldSize: settings.worldSize))
        let start = step
        if leads { try save() }
        let clock = ContinuousClock()
        var due = clock.now
        while step < settings.steps {
            let began = clock.now
            // Of the time that is due, so that the time of bookkeeping does not add up.
            due = due.advanced(by: .seconds(settings.stepSeconds + delay))
            if signals.wait(seconds: clock.now.duration(to: due).seconds) {
                return try end("stopped")
            }
            step += 1
            iteration = began.duration(to: clock.now).seconds * 1000
            if step == settings.failAt, start < step, checkpoint.runs.count == 1 { return fail() }
            guard leads else { continue }
            if step.isMultiple(of: settings.checkpointEvery) { try save() }
            try tell(clock.now)
        }
        return try end("done")
    }

    /// A collective waits for its slowest rank, so that all are late.
    private var delay: Double {
        guard let fault = seam?.fault(.straggler) else { return 0 }
        return fault.parameters.delaySeconds ?? settings.stepSeconds * Self.straggling
    }

    private mutating func end(_ word: String) throws -> Int32 {
        if leads, try !save() { return TrainerExit.failed }
        say("\(word) at step \(step)")
        return TrainerExit.done
    }

    private func fail() -> Int32 {
        say("fails at step \(step)")
        return TrainerExit.failed
    }

    /// - Returns: false when it failed; the one before it is kept.
    @discardableResult
    private mutating func save() throws -> Bool {
        if settings.checkpointDirectory != nil, seam?.fault(.checkpointFailure) != nil {
            say("the checkpoint of step \(step) failed: no space left on device")
            return false
        }
        checkpoint.step = step
        if let directory = settings.checkpointDirectory { try checkpoint.write(in: directory) }
        try tell(nil)
        return true
    }

    /// - Parameter now: says nothing too soon after the last word; nil says it at any time.
    private mutating func tell(_ now: ContinuousClock.Instant?) throws {
        guard let path = settings.progressFile else { return }
        if let now {
            guard toldAt.map({ $0.duration(to: now) >= Self.tellEvery }) ?? true else { return }
            toldAt = now
        }
        let kept = settings.checkpointDirectory == nil ? 0 : checkpoint.step
        try DurableJSON.write(
            Progress(step: step, checkpointStep: kept, iterationMilliseconds: iteration), to: path)
    }

    private func say(_ text: String) {
        FileHandle.standardOutput.write(Data("rank \(settings.rank): \(text)\n".utf8))
    }
}

extension Duration {
    fileprivate var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
