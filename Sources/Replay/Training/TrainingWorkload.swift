internal import TrainingScheduling

/// A job of a trace, before it is known how fast its model is.
public struct TraceTrainingJob: Sendable, Hashable {
    public var name: String
    public var submittedAt: Double
    /// Seconds that it takes as submitted, by whoever wrote the trace.
    public var duration: Double
    public var model: String
    public var gpus: Int
    /// Of the host, in all.
    public var threads: Int
    public var plan: String
    public var steps: Double
    public var isGuaranteed: Bool
    /// Line of the file, for errors.
    public var line: Int
}

/// Jobs of a trace with the name of its file.
public struct TrainingWorkload: Sendable, Hashable {
    public var file: String
    public var jobs: [TraceTrainingJob]
}

/// Reads training jobs: `name`, `submission_time` (s), `duration` (s), `application`, `num_gpus`, `num_cpus`,
/// `exec_plan`, `steps` and, if it is there, `is_sla` (1: guaranteed), in any order and among other columns.
public struct TrainingWorkloadReader: Sendable {
    private static let columns = [
        "name", "submission_time", "duration", "application", "num_gpus", "num_cpus", "exec_plan", "steps",
    ]
    private static let gpuLimit = 100_000
    private static let secondLimit = 1e10
    private static let stepLimit = 1e12

    public init() {}

    /// - Throws: `TraceError` for the first line that is not as described.
    public func read(_ source: TraceSource) throws(TraceError) -> TrainingWorkload {
        var fields = RowFields(file: source.name)
        var jobs: [TraceTrainingJob] = []
        try source.forEachLine { (number, line) throws(TraceError) in
            guard try fields.split(line, number, columns: Self.columns, optional: ["is_sla"]) else { return }
            jobs.append(try Self.job(fields, line, number))
        }
        try fields.requireHeader(Self.columns)
        guard !jobs.isEmpty else { throw TraceError(.empty, file: source.name, expected: "at least one job") }
        return TrainingWorkload(file: source.name, jobs: jobs)
    }

    private static func job(
        _ fields: borrowing RowFields, _ line: Span<UInt8>, _ number: Int
    ) throws(TraceError) -> TraceTrainingJob {
        let seconds = "seconds from 0 on"
        let class_ = fields.optionalText(0, line) ?? "0"
        guard ["0", "1", ""].contains(class_) else {
            throw TraceError(
                .badValue, file: fields.file, line: number, column: "is_sla", value: class_,
                expected: "0 or 1")
        }
        return TraceTrainingJob(
            name: try fields.word(0, line, number),
            submittedAt: try fields.real(1, line, number, in: 0...secondLimit, expected: seconds),
            duration: try fields.real(2, line, number, in: 0...secondLimit, expected: seconds),
            model: try fields.word(3, line, number),
            gpus: try fields.whole(4, line, number, in: 1...gpuLimit),
            threads: try fields.whole(5, line, number, in: 0...gpuLimit * 1000),
            plan: try fields.word(6, line, number),
            steps: try fields.real(7, line, number, in: 1e-6...stepLimit, expected: "steps above 0"),
            isGuaranteed: class_ == "1", line: number)
    }
}

extension MeasuredSpeeds {
    /// The shape that a job was submitted with: on one node what fits there, else on whole nodes, else as
    /// measured on the fewest.
    func submitted(
        _ job: TraceTrainingJob, gpusPerNode: Int, file: String
    ) throws(TraceError) -> SpeedPoint {
        guard let rows = points[job.model] else {
            throw TraceError(
                .badValue, file: file, line: job.line, column: "application", value: job.model,
                expected: "a model that was measured: \(models.joined(separator: ", "))")
        }
        let whole =
            job.gpus <= gpusPerNode
            ? [job.gpus] : [Int](repeating: gpusPerNode, count: job.gpus / gpusPerNode)
        let planned = rows.filter { $0.plan == job.plan && $0.gpus == job.gpus }
        let found =
            planned.first { $0.placement == whole && job.gpus == whole.reduce(0, +) }
            ?? planned.min {
                $0.nodes != $1.nodes ? $0.nodes < $1.nodes : $0.secondsPerStep < $1.secondsPerStep
            }
        guard var point = found else {
            throw TraceError(
                .badValue, file: file, line: job.line, column: "exec_plan", value: job.plan,
                expected: "a plan of \(job.model) that was measured on \(job.gpus) GPUs")
        }
        point.threadsPerGPU = job.threads / job.gpus
        return point
    }
}
