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
        var model: TrainingModel
        var batch: Int?
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

    /// - Returns: nil where no plan of the model fits the machines, or not the one that was submitted.
    mutating func options(of spec: TrainingJobSpec, on machines: Machines) -> Options? {
        let options = spec.profile.map { measured($0, spec) } ?? predicted(spec, machines)
        guard var options, let memory = spec.memoryMiBPerDevice else { return options }
        options.submitted.memoryPerGPU = memory
        options.curve = SpeedCurve(
            options.curve.points.map {
                var point = $0
                point.memoryPerGPU = memory
                return point
            })
        return options
    }

    private func measured(_ profile: [TrainingProfilePoint], _ spec: TrainingJobSpec) -> Options? {
        func point(_ measured: TrainingProfilePoint) -> SpeedPoint {
            SpeedPoint(
                placement: measured.placement, plan: measured.plan, secondsPerStep: measured.secondsPerStep,
                threadsPerGPU: measured.cpusPerDevice ?? 1)
        }
        let submitted = profile.filter(spec.matches).map(point).min {
            $0.nodes != $1.nodes ? $0.nodes < $1.nodes : $0.secondsPerStep < $1.secondsPerStep
        }
        return submitted.map { Options(submitted: $0, curve: SpeedCurve(profile.map(point))) }
    }

    private mutating func predicted(_ spec: TrainingJobSpec, _ machines: Machines) -> Options? {
        guard let name = spec.model, var model = CatalogueModel.named(name.rawValue) else { return nil }
        if let batch = spec.globalBatch { model.performance.model.globalBatch = batch }
        let search = PlanSearch(
            model, gpuGiB: Double(machines.gibibytes), gpusPerNode: max(machines.devicesPerHost, 1))
        let limit = min(machines.devices, max(Self.leastReach, Self.reach * spec.devices))
        let key = Key(model: name, batch: spec.globalBatch, machines: machines, limit: limit)
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
