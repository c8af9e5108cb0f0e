internal import Fleet
internal import Foundation
internal import TrainingScheduling

/// What jobs that ran tell of the speed and the memory of others: measured steps, and plans that ran out of
/// memory.
struct TrainingMeter {
    /// A way to run.
    struct Shape: Hashable {
        var placement: [Int]
        var plan: String
        var cpus: Int
    }

    private enum Owner: Hashable {
        case subject(TrainingSubject)
        /// A job with a profile of its own.
        case job(ID<Document>)
    }

    /// Iterations whose median is the time of a step: enough that pauses for checkpoints do not count.
    private static let samples = 9
    /// As many have to be there.
    private static let leastSamples = 3
    /// Shapes of a model that are fitted to; no model runs in more at once.
    private static let shapes = 64
    /// Relative difference below which a prediction is right.
    private static let tolerance = 0.05
    /// Relative difference of medians that is worth another fit.
    private static let news = 0.02
    /// Times of profiles are not taken to be off by more.
    private static let mostScale = 8.0

    private var recent: [Owner: [Shape: [Double]]] = [:]
    /// Medians in milliseconds.
    private var medians: [Owner: [Shape: Double]] = [:]
    private var changed: Set<TrainingSubject> = []
    private var fits: [TrainingSubject: OnlineFit] = [:]
    private(set) var failures: [TrainingMemory.Failure] = []
    private var tables: [String: FailureTable] = [:]

    // MARK: Taking

    mutating func note(_ milliseconds: Double, of job: TrainingJobRecord, as shape: TrainingShape, cpus: Int)
    {
        guard milliseconds > 0, milliseconds.isFinite else { return }
        let owner = TrainingSubject(job.spec).map(Owner.subject) ?? .job(job.uid)
        let shape = Shape(placement: shape.placement, plan: shape.plan, cpus: cpus)
        var values = (recent[owner]?[shape] ?? []) + [milliseconds]
        if values.count > Self.samples { values.removeFirst() }
        recent[owner, default: [:]][shape] = values
        guard values.count >= Self.leastSamples else { return }
        let median = values.sorted()[values.count / 2]
        let known = medians[owner]?[shape]
        if let known, abs(median / known - 1) < Self.news { return }
        guard known != nil || (medians[owner]?.count ?? 0) < Self.shapes else { return }
        medians[owner, default: [:]][shape] = median
        if case .subject(let subject) = owner { changed.insert(subject) }
    }

    /// Forgets profiles of jobs that are gone.
    mutating func keep(jobs: Set<ID<Document>>) {
        func isKept(_ owner: Owner) -> Bool {
            if case .job(let uid) = owner { jobs.contains(uid) } else { true }
        }
        recent = recent.filter { isKept($0.key) }
        medians = medians.filter { isKept($0.key) }
    }

    /// - Returns: whether it was not known before.
    mutating func learn(_ shape: TrainingShape, of subject: TrainingSubject) -> Bool {
        let failure = TrainingMemory.Failure(
            deviceModel: subject.deviceModel, model: subject.model, globalBatch: subject.globalBatch,
            placement: shape.placement, plan: shape.plan)
        guard !failures.contains(failure), failures.count < TrainingMemory.limit, enter(failure) else {
            return false
        }
        failures.append(failure)
        return true
    }

    private mutating func enter(_ failure: TrainingMemory.Failure) -> Bool {
        let subject = TrainingSubject(failure.deviceModel, failure.model, failure.globalBatch)
        // As wide as any node: what ran was feasible there.
        guard let prior = Self.prior(subject),
            let entry = PlanSearch(prior, gpuGiB: .infinity, gpusPerNode: WorkloadLimit.devices)
                .failure(of: failure.plan, on: failure.placement)
        else { return false }
        tables[failure.deviceModel ?? "", default: FailureTable()].learn(entry)
        return true
    }

    // MARK: Fitting

    /// Fits models whose measurements moved.
    ///
    /// - Returns: those whose predictions are others now.
    mutating func calibrate() -> [TrainingSubject] {
        let due = changed.sorted()
        changed = []
        return due.filter { subject in
            let before = fits[subject]
            fits[subject] = fit(subject)
            return fits[subject] != before
        }
    }

    private func fit(_ subject: TrainingSubject) -> OnlineFit? {
        guard let prior = Self.prior(subject) else { return nil }
        let search = PlanSearch(prior, gpuGiB: .infinity, gpusPerNode: WorkloadLimit.devices)
        let points = (medians[.subject(subject)] ?? [:]).sorted { Self.precedes($0.key, $1.key) }
            .compactMap { shape, milliseconds in
                search.profilePoint(
                    plan: shape.plan, placement: shape.placement, threads: shape.cpus,
                    milliseconds: milliseconds)
            }
        guard let fit = OnlineFit(points, prior: prior.performance) else { return nil }
        // While the prediction is right nothing is touched: every shape would look new otherwise.
        return fit.errorBefore > Self.tolerance ? fit : nil
    }

    private static func precedes(_ lhs: Shape, _ rhs: Shape) -> Bool {
        if lhs.placement != rhs.placement { return lhs.placement.lexicographicallyPrecedes(rhs.placement) }
        return lhs.plan != rhs.plan ? lhs.plan < rhs.plan : lhs.cpus < rhs.cpus
    }

    private static func prior(_ subject: TrainingSubject) -> CatalogueModel? {
        var model = CatalogueModel.named(subject.model.rawValue)
        model?.performance.model.globalBatch = subject.globalBatch
        return model
    }

    // MARK: Telling

    /// The search for plans of a model, with all that is known by now.
    func search(_ subject: TrainingSubject, _ machines: TrainingSpeeds.Machines) -> PlanSearch? {
        guard var model = Self.prior(subject) else { return nil }
        let fit = fits[subject]
        if let fit { model.performance.parameters = fit.parameters }
        var search = PlanSearch(
            model, failures: tables[subject.deviceModel ?? ""] ?? FailureTable(),
            gpuGiB: Double(machines.gibibytes), gpusPerNode: max(machines.devicesPerHost, 1))
        search.scale = fit?.scale ?? 1
        return search
    }

    /// Seconds of each step of a job's profile: as measured where it ran, and elsewhere off by as much.
    func seconds(of profile: [TrainingProfilePoint], job: ID<Document>) -> [Double] {
        guard let measured = ratios(of: profile, job: job) else { return profile.map(\.secondsPerStep) }
        return zip(profile, measured.ratios).map { $0.secondsPerStep * ($1 ?? measured.scale) }
    }

    /// What measurements changed for a job; nil while they agree with what was known.
    func calibration(of job: TrainingJobRecord) -> TrainingCalibration? {
        if let subject = TrainingSubject(job.spec) {
            return fits[subject].map {
                TrainingCalibration(
                    scale: Self.rounded($0.scale), shapes: $0.points, fitted: $0.fitted,
                    errorBefore: Self.rounded($0.errorBefore), errorAfter: Self.rounded($0.errorAfter))
            }
        }
        guard let measured = ratios(of: job.spec.profile ?? [], job: job.uid) else { return nil }
        let known = measured.ratios.compactMap { $0 }
        return TrainingCalibration(
            scale: Self.rounded(measured.scale), shapes: known.count, fitted: ["scale"],
            errorBefore: Self.rounded(Self.median(known.map { abs(1 / $0 - 1) })), errorAfter: 0)
    }

    /// Measured over given times of the points that ran; nil while the profile is right.
    private func ratios(
        of profile: [TrainingProfilePoint], job: ID<Document>
    ) -> (ratios: [Double?], scale: Double)? {
        guard let medians = medians[.job(job)] else { return nil }
        let ratios = profile.map { point in
            let shape = Shape(
                placement: point.placement.sorted(by: >), plan: point.plan, cpus: point.cpusPerDevice ?? 1)
            return medians[shape].map { $0 / 1000 / point.secondsPerStep }
        }
        let known = ratios.compactMap { $0 }
        guard !known.isEmpty, Self.median(known.map { abs(1 / $0 - 1) }) > Self.tolerance else { return nil }
        return (ratios, min(max(Self.median(known), 1 / Self.mostScale), Self.mostScale))
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    /// Three digits: a status does not change with every iteration.
    private static func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }

    // MARK: Keeping

    var measurements: [TrainingMemory.Measurement] {
        medians.flatMap { owner, shapes -> [TrainingMemory.Measurement] in
            guard case .subject(let subject) = owner else { return [] }
            return shapes.map { shape, milliseconds in
                TrainingMemory.Measurement(
                    deviceModel: subject.deviceModel, model: subject.model, globalBatch: subject.globalBatch,
                    placement: shape.placement, plan: shape.plan, cpusPerDevice: shape.cpus,
                    milliseconds: milliseconds)
            }
        }.sorted { lhs, rhs in
            let left = TrainingSubject(lhs.deviceModel, lhs.model, lhs.globalBatch)
            let right = TrainingSubject(rhs.deviceModel, rhs.model, rhs.globalBatch)
            guard left == right else { return left < right }
            return Self.precedes(
                Shape(placement: lhs.placement, plan: lhs.plan, cpus: lhs.cpusPerDevice),
                Shape(placement: rhs.placement, plan: rhs.plan, cpus: rhs.cpusPerDevice))
        }
    }

    mutating func restore(_ memory: TrainingMemory) {
        failures = memory.failures.filter { enter($0) }
        for measured in memory.measurements {
            let subject = TrainingSubject(measured.deviceModel, measured.model, measured.globalBatch)
            let shape = Shape(
                placement: measured.placement, plan: measured.plan, cpus: measured.cpusPerDevice)
            medians[.subject(subject), default: [:]][shape] = measured.milliseconds
            changed.insert(subject)
        }
    }
}
