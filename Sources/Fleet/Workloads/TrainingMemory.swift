/// What the training engine of a cell learnt and counted, which outlives its process.
public struct TrainingMemory: Sendable, Hashable, Codable {
    /// Seconds of devices that jobs of a project held, older ones worth less.
    public struct Use: Sendable, Hashable, Codable {
        public var project: String
        public var deviceSeconds: Double

        public init(project: String, deviceSeconds: Double) {
            self.project = project
            self.deviceSeconds = deviceSeconds
        }
    }

    /// A plan that ran out of memory.
    public struct Failure: Sendable, Hashable, Codable {
        /// Nil for CPUs.
        public var deviceModel: String?
        public var model: TrainingModel
        public var globalBatch: Int
        public var placement: [Int]
        public var plan: String

        public init(
            deviceModel: String?, model: TrainingModel, globalBatch: Int, placement: [Int], plan: String
        ) {
            self.deviceModel = deviceModel
            self.model = model
            self.globalBatch = globalBatch
            self.placement = placement
            self.plan = plan
        }
    }

    /// What a step took, as ranks told.
    public struct Measurement: Sendable, Hashable, Codable {
        /// Nil for CPUs.
        public var deviceModel: String?
        public var model: TrainingModel
        public var globalBatch: Int
        public var placement: [Int]
        public var plan: String
        public var cpusPerDevice: Int
        public var milliseconds: Double

        public init(
            deviceModel: String?, model: TrainingModel, globalBatch: Int, placement: [Int], plan: String,
            cpusPerDevice: Int, milliseconds: Double
        ) {
            self.deviceModel = deviceModel
            self.model = model
            self.globalBatch = globalBatch
            self.placement = placement
            self.plan = plan
            self.cpusPerDevice = cpusPerDevice
            self.milliseconds = milliseconds
        }
    }

    /// By project.
    public var used: [Use]
    /// As of when.
    public var usedAt: Timestamp
    /// In the order in which they were learnt.
    public var failures: [Failure]
    /// In a fixed order.
    public var measurements: [Measurement]

    public init(
        used: [Use] = [], usedAt: Timestamp, failures: [Failure] = [], measurements: [Measurement] = []
    ) {
        self.used = used
        self.usedAt = usedAt
        self.failures = failures
        self.measurements = measurements
    }

    /// Of each list: hundreds of models on several kinds of devices.
    public static let limit = 4096
}
