/// Published models whose speed is known without a profile.
public enum TrainingModel: String, Sendable, Hashable, ClosedWord {
    case vit, roberta, bert, t5, gpt2, llama7, llama30
}

/// What a training job is promised.
public enum TrainingClass: String, Sendable, Hashable, ClosedWord {
    /// Never runs slower than it was submitted.
    case guaranteed
    /// Takes what is left, and may lose all of it.
    case bestEffort = "best-effort"
}

/// One measured way to run a job.
public struct TrainingProfilePoint: Sendable, Hashable, Codable {
    /// Devices on each host.
    public var placement: [Int]
    /// As plans are written: `ga`, `zero-dp`, or the pipeline, tensor and data degrees such as `142`.
    public var plan: String
    public var secondsPerStep: Double
    /// CPUs of the host per device; 1 when absent.
    public var cpusPerDevice: Int?

    public init(placement: [Int], plan: String, secondsPerStep: Double, cpusPerDevice: Int? = nil) {
        self.placement = placement
        self.plan = plan
        self.secondsPerStep = secondsPerStep
        self.cpusPerDevice = cpusPerDevice
    }
}

/// How a job is told to put its state on disk before it ends.
public struct CheckpointSpec: Sendable, Hashable, Codable {
    /// Where the state is kept, on storage that all hosts see; jobs get it as `BASALT_CHECKPOINT_DIR`.
    public var directory: String?
    /// Signal that asks for a checkpoint and the end; TERM when absent.
    public var signal: StopSignal?
    /// Seconds that this may take before the rest is killed; 60 when absent.
    public var graceSeconds: Int?
    /// Runs beside every part before its signal, with the part's environment and `BASALT_PID`; nothing when
    /// absent. Whatever becomes of it, the signal follows.
    public var command: [String]?
    /// Seconds that the command may take; 60 when absent.
    public var commandSeconds: Int?

    public init(
        directory: String? = nil, signal: StopSignal? = nil, graceSeconds: Int? = nil,
        command: [String]? = nil, commandSeconds: Int? = nil
    ) {
        self.directory = directory
        self.signal = signal
        self.graceSeconds = graceSeconds
        self.command = command
        self.commandSeconds = commandSeconds
    }

    /// As long as a large model's state takes to a shared file system.
    public static let grace = 60
}

/// A training job as its owner wants it.
public struct TrainingJobSpec: DocumentSpec {
    public enum Processes: String, Sendable, Hashable, ClosedWord {
        /// A part for every device, each with its own rank.
        case perDevice = "per-device"
        /// A part for every host, whose command starts the ranks itself.
        case perHost = "per-host"
    }

    public static let kind = Kind.trainingJob
    /// Chosen once when absent.
    public var cell: String?
    /// Any pool that admits training when absent.
    public var pool: String?
    /// A published model; exclusive with `profile`.
    public var model: TrainingModel?
    /// Measured ways to run it; the job runs as one of them.
    public var profile: [TrainingProfilePoint]?
    /// Sequences of a step over all ranks; constant for the whole life. The model's own when absent.
    public var globalBatch: Int?
    /// Steps of the global batch in all.
    public var steps: Int
    /// Devices that it was submitted with, which its speed is guaranteed by.
    public var devices: Int
    /// Hosts that they lie on; as few as can be when absent.
    public var hosts: Int?
    /// Plan that it was submitted with; the fastest when absent.
    public var plan: String?
    /// Model of the devices. Without it hosts that have no devices are used, a CPU in place of each.
    public var deviceModel: String?
    /// MiB of the host per device; what the plan needs when absent.
    public var memoryMiBPerDevice: Int?
    /// `best-effort` when absent.
    public var `class`: TrainingClass?
    /// `per-device` when absent.
    public var processes: Processes?
    public var run: RunSpec
    public var image: ImageSpec?
    public var checkpoint: CheckpointSpec?
    /// `stop` when absent: it is started again from its checkpoint.
    public var onPartition: PartitionPolicy?
    /// Ends by themselves before it counts as failed; 3 when absent.
    public var maxFailures: Int?

    public init(
        cell: String? = nil, pool: String? = nil, model: TrainingModel? = nil,
        profile: [TrainingProfilePoint]? = nil, globalBatch: Int? = nil, steps: Int, devices: Int,
        hosts: Int? = nil, plan: String? = nil, deviceModel: String? = nil, memoryMiBPerDevice: Int? = nil,
        class: TrainingClass? = nil, processes: Processes? = nil, run: RunSpec, image: ImageSpec? = nil,
        checkpoint: CheckpointSpec? = nil, onPartition: PartitionPolicy? = nil, maxFailures: Int? = nil
    ) {
        self.cell = cell
        self.pool = pool
        self.model = model
        self.profile = profile
        self.globalBatch = globalBatch
        self.steps = steps
        self.devices = devices
        self.hosts = hosts
        self.plan = plan
        self.deviceModel = deviceModel
        self.memoryMiBPerDevice = memoryMiBPerDevice
        self.class = `class`
        self.processes = processes
        self.run = run
        self.image = image
        self.checkpoint = checkpoint
        self.onPartition = onPartition
        self.maxFailures = maxFailures
    }

    public var isGuaranteed: Bool { self.class == .guaranteed }
}

public enum TrainingLimit {
    /// Devices of one job: the largest published runs have some 25,000, on more than one cell.
    public static let devices = 16_384
    /// Far above any run: a step of 10 ms for ten years.
    public static let steps = 31_536_000_000
    /// Points of one profile: every shape of a few hundred devices.
    public static let points = 512
    /// An hour: longer than a checkpoint ever took.
    public static let graceSeconds = 3600
    public static let failures = 1000
    /// Ends by themselves before a job counts as failed.
    public static let usualFailures = 3
    /// Exit code of a rank whose device has too little memory for the plan, as `ENOMEM`; ranks get it as
    /// `BASALT_EXIT_OUT_OF_MEMORY`.
    public static let outOfMemoryExit = 12
    /// Shapes of one job that are remembered to have run out of memory.
    public static let ruledOut = 64
}

extension TrainingJobSpec {
    public func defects() -> [FieldDefect] {
        var found: [FieldDefect] = []
        func range(_ field: String, _ value: Int?, _ bounds: ClosedRange<Int>) {
            guard let value, !bounds.contains(value) else { return }
            let nearest = min(max(value, bounds.lowerBound), bounds.upperBound)
            found.append(
                .init(
                    field: "spec.\(field)", code: .outOfRange,
                    message: "\(value) is outside \(bounds.lowerBound) to \(bounds.upperBound); "
                        + "the nearest is \(nearest)"))
        }
        range("steps", steps, 1...TrainingLimit.steps)
        range("devices", devices, 1...TrainingLimit.devices)
        range("hosts", hosts, 1...max(devices, 1))
        range("globalBatch", globalBatch, 1...WorkloadLimit.memoryMiB)
        range("memoryMiBPerDevice", memoryMiBPerDevice, 1...WorkloadLimit.memoryMiB)
        range("maxFailures", maxFailures, 0...TrainingLimit.failures)
        range("checkpoint.graceSeconds", checkpoint?.graceSeconds, 1...TrainingLimit.graceSeconds)
        range("checkpoint.commandSeconds", checkpoint?.commandSeconds, 1...TrainingLimit.graceSeconds)
        if let command = checkpoint?.command {
            found += RunSpec(command: command).defects(at: "spec.checkpoint")
        }
        if let hosts, devices > 0, hosts > 0, devices % hosts != 0 {
            found.append(
                .init(
                    field: "spec.hosts", code: .invalid,
                    message: "\(devices) devices do not lie evenly on \(hosts) hosts"))
        }
        if let directory = checkpoint?.directory, !directory.hasPrefix("/") || directory.contains("\0") {
            found.append(
                .init(
                    field: "spec.checkpoint.directory", code: .invalid,
                    message: "\"\(directory)\" is no absolute path"))
        }
        return found + speedDefects() + run.defects(at: "spec.run")
            + (image?.defects(at: "spec.image") ?? [])
    }

    private func speedDefects() -> [FieldDefect] {
        switch (model, profile) {
        case (nil, nil):
            return [
                .init(
                    field: "spec.model", code: .required,
                    message: "give a profile, or a model: "
                        + TrainingModel.allCases.map(\.rawValue).joined(separator: ", "))
            ]
        case (.some, .some):
            return [
                .init(field: "spec.profile", code: .conflict, message: "give a model or a profile, not both")
            ]
        case (.some, nil): return []
        case (nil, .some(let points)): return pointDefects(points)
        }
    }

    private func pointDefects(_ points: [TrainingProfilePoint]) -> [FieldDefect] {
        guard (1...TrainingLimit.points).contains(points.count) else {
            return [
                .init(
                    field: "spec.profile", code: .outOfRange,
                    message: "\(points.count) points are outside 1 to \(TrainingLimit.points)")
            ]
        }
        var found: [FieldDefect] = []
        for (index, point) in points.enumerated() {
            func refuse(_ field: String, _ message: String) {
                found.append(
                    .init(field: "spec.profile[\(index)].\(field)", code: .invalid, message: message))
            }
            let isPlaced =
                !point.placement.isEmpty && point.placement.count <= TrainingLimit.devices
                && point.placement.allSatisfy((1...WorkloadLimit.devices).contains)
            if !isPlaced {
                refuse("placement", "give 1 to \(WorkloadLimit.devices) devices for each host")
            }
            if !(point.secondsPerStep > 0 && point.secondsPerStep < 1e9) {
                refuse("secondsPerStep", "\(point.secondsPerStep) is no time of a step")
            }
            if !(1...256).contains(point.cpusPerDevice ?? 1) {
                refuse("cpusPerDevice", "\(point.cpusPerDevice ?? 1) is outside 1 to 256")
            }
            if !(1...Name.labelLengthLimit).contains(point.plan.unicodeScalars.count) {
                refuse("plan", "name the plan")
            }
        }
        if found.isEmpty, !points.contains(where: { matches($0) }) {
            found.append(
                .init(
                    field: "spec.devices", code: .invalid,
                    message: "the profile has no point with the submitted devices, hosts and plan"))
        }
        return found
    }

    /// Whether a point is a way to run it as it was submitted.
    public func matches(_ point: TrainingProfilePoint) -> Bool {
        point.placement.reduce(0, +) == devices && hosts.map { point.placement.count == $0 } ?? true
            && plan.map { point.plan == $0 } ?? true
    }

    /// What cannot change under what runs; the class, the number of steps and the failures allowed may.
    public func immutableDefects(since before: TrainingJobSpec) -> [FieldDefect] {
        var same = before
        same.class = self.class
        same.steps = steps
        same.maxFailures = maxFailures
        guard same != self else { return [] }
        return [
            .init(
                field: "spec", code: .immutable,
                message: "only class, steps and maxFailures change; delete the job and create it again")
        ]
    }
}
