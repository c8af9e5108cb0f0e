internal import Fleet
internal import TrainingScheduling

/// How fast jobs may run: the curve of each job's model, kept from round to round.
struct TrainingSpeeds {
    /// What a job may run as.
    struct Options {
        var submitted: SpeedPoint
        var curve: SpeedCurve
    }

    /// What the devices of a field are.
    struct Machines: Hashable {
        var devices: Int
        var devicesPerHost: Int
        var gibibytes: Int
    }

    private struct Key: Hashable {
        var subject: TrainingSubject
        var machines: Machines
        var limit: Int
    }

    /// Threads of the host per device that plans with the optimizer there are tried with.
    private static let threads = 8
    /// Devices that a curve reaches to at least, and as a multiple of what was submitted: a curve costs the
    /// square of its length.
    private static let leastReach = 64
    private static let reach = 4

    /// What was asked for, as far as its speed depends on it.
    private struct Submission: Hashable {
        var key: Key
        var devices: Int
        var hosts: Int?
        var plan: String?
    }

    private var curves: [Key: SpeedCurve] = [:]
    private var submissions: [Submission: SpeedPoint?] = [:]
    /// What was learnt from what ran.
    private(set) var meter = TrainingMeter()

    /// - Parameter status: of the job as it is: what ran out of memory before is left out.
    /// - Returns: nil where no plan of the model fits the machines, or not the one that was submitted.
    mutating func options(
        of job: TrainingJobRecord, _ status: TrainingJobStatus, on machines: Machines
    ) -> Options? {
        let spec = job.spec
        let found = spec.profile.map { measured($0, job) } ?? predicted(spec, machines)
        guard var options = found else { return nil }
        if let ruledOut = status.ruledOut {
            options.curve = options.curve.filtered { point in
                !ruledOut.contains { $0.placement == point.placement && $0.plan == point.plan }
            }
        }
        guard !options.curve.points.isEmpty else { return nil }
        guard let memory = spec.memoryMiBPerDevice else { return options }
        options.submitted.memoryPerGPU = memory
        options.curve = SpeedCurve(
            options.curve.points.map {
                var point = $0
                point.memoryPerGPU = memory
                return point
            })
        return options
    }

    /// Takes what ranks told of a step.
    mutating func note(_ milliseconds: Double, of job: TrainingJobRecord, as shape: TrainingShape, cpus: Int)
    {
        meter.note(milliseconds, of: job, as: shape, cpus: cpus)
    }

    /// Takes it that a shape of a job ran out of memory.
    mutating func ruleOut(_ shape: TrainingShape, of job: TrainingJobRecord) {
        guard let subject = TrainingSubject(job.spec), meter.learn(shape, of: subject) else { return }
        forget(subject)
    }

    /// Fits what has new measurements.
    mutating func calibrate() {
        for subject in meter.calibrate() { forget(subject) }
    }

    /// Forgets jobs that are gone.
    mutating func keep(jobs: Set<ID<Document>>) { meter.keep(jobs: jobs) }

    mutating func restore(_ memory: TrainingMemory) { meter.restore(memory) }

    /// What measurements changed for a job; nil while they agree with what was known.
    func calibration(of job: TrainingJobRecord) -> TrainingCalibration? { meter.calibration(of: job) }

    private mutating func forget(_ subject: TrainingSubject) {
        curves = curves.filter { $0.key.subject != subject }
        submissions = submissions.filter { $0.key.key.subject != subject }
    }

    private func measured(_ profile: [TrainingProfilePoint], _ job: TrainingJobRecord) -> Options? {
        let points = zip(profile, meter.seconds(of: profile, job: job.uid)).map { measured, seconds in
            SpeedPoint(
                placement: measured.placement, plan: measured.plan, secondsPerStep: seconds,
                threadsPerGPU: measured.cpusPerDevice ?? 1)
        }
        let submitted = zip(profile, points).filter { job.spec.matches($0.0) }.map(\.1).min {
            $0.nodes != $1.nodes ? $0.nodes < $1.nodes : $0.secondsPerStep < $1.secondsPerStep
        }
        return submitted.map { Options(submitted: $0, curve: SpeedCurve(points)) }
    }

    private mutating func predicted(_ spec: TrainingJobSpec, _ machines: Machines) -> Options? {
        guard let subject = TrainingSubject(spec), let search = meter.search(subject, machines) else {
            return nil
        }
        let limit = min(machines.devices, max(Self.leastReach, Self.reach * spec.devices))
        let key = Key(subject: subject, machines: machines, limit: limit)
        let submission = Submission(key: key, devices: spec.devices, hosts: spec.hosts, plan: spec.plan)
        let found = submissions[submission] ?? Self.submitted(spec, search)
        submissions[submission] = .some(found)
        guard let submitted = found else { return nil }
        let curve = curves[key] ?? search.curve(gpus: limit, threads: Self.threads)
        curves[key] = curve
        return Options(submitted: submitted, curve: curve)
    }

    private static func submitted(_ spec: TrainingJobSpec, _ search: PlanSearch) -> SpeedPoint? {
        let hosts = spec.hosts ?? (spec.devices + search.gpusPerNode - 1) / search.gpusPerNode
        guard hosts > 0, spec.devices % hosts == 0 else { return nil }
        let placement = [Int](repeating: spec.devices / hosts, count: hosts)
        guard let plan = spec.plan else { return search.best(placement: placement, threads: threads) }
        return search.points(placement: placement, threads: threads).first { $0.plan == plan }
    }
}

/// A published model with a batch on one kind of device: what measurements are gathered for.
struct TrainingSubject: Hashable, Comparable {
    var deviceModel: String?
    var model: TrainingModel
    var globalBatch: Int

    /// Nil for a job with a profile of its own.
    init?(_ spec: TrainingJobSpec) {
        guard let model = spec.model, let known = CatalogueModel.named(model.rawValue) else { return nil }
        deviceModel = spec.deviceModel
        self.model = model
        globalBatch = spec.globalBatch ?? known.performance.model.globalBatch
    }

    init(_ deviceModel: String?, _ model: TrainingModel, _ globalBatch: Int) {
        self.deviceModel = deviceModel
        self.model = model
        self.globalBatch = globalBatch
    }

    static func < (lhs: TrainingSubject, rhs: TrainingSubject) -> Bool {
        (lhs.deviceModel ?? "", lhs.model.rawValue, lhs.globalBatch)
            < (rhs.deviceModel ?? "", rhs.model.rawValue, rhs.globalBatch)
    }
}
