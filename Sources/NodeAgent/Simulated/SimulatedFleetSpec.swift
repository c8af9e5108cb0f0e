public import Fleet

/// Hosts that one process simulates, and how parts behave on them.
public struct SimulatedFleetSpec: Sendable, Hashable, Codable {
    /// GPUs of simulated hosts.
    public struct Devices: Sendable, Hashable, Codable {
        public var model: String
        public var memoryMiB: Int
        /// Devices of each host that has some.
        public var perHost: Int
        /// Hosts that have devices, per mille, spread evenly.
        public var hostsPerMille: Int

        public init(model: String, memoryMiB: Int, perHost: Int, hostsPerMille: Int = 1000) {
            self.model = model
            self.memoryMiB = memoryMiB
            self.perHost = perHost
            self.hostsPerMille = hostsPerMille
        }
    }

    public enum Limit {
        /// Hosts of one session.
        public static let hosts = 10_000
        /// Devices of one host; the bound of a workload part.
        public static let devices = 64
    }

    /// Hosts.
    public var count: Int
    /// Hosts are named `<prefix>-<number>`, from 0, with as many digits as the last one needs.
    public var namePrefix: String
    public var capacity: Resources
    public var reserved: Resources
    public var devices: Devices?
    /// Zones; hosts are dealt to them in turn, and within one to its racks in turn.
    public var zones: Int
    public var racksPerZone: Int
    public var labels: [String: String]
    public var startLatency: LatencyModel
    public var stopLatency: LatencyModel
    /// Starts that fail, per million.
    public var startFailuresPerMillion: Int
    public var seed: UInt64

    public init(
        count: Int, namePrefix: String = "sim", capacity: Resources, reserved: Resources = .zero,
        devices: Devices? = nil, zones: Int = 1, racksPerZone: Int = 1, labels: [String: String] = [:],
        startLatency: LatencyModel = .logNormal(medianSeconds: 0.4, sigma: 0.5, capSeconds: 10),
        stopLatency: LatencyModel = .logNormal(medianSeconds: 0.2, sigma: 0.5, capSeconds: 5),
        startFailuresPerMillion: Int = 0, seed: UInt64
    ) {
        self.count = count
        self.namePrefix = namePrefix
        self.capacity = capacity
        self.reserved = reserved
        self.devices = devices
        self.zones = zones
        self.racksPerZone = racksPerZone
        self.labels = labels
        self.startLatency = startLatency
        self.stopLatency = stopLatency
        self.startFailuresPerMillion = startFailuresPerMillion
        self.seed = seed
    }

    /// Everything that is wrong with the fields; empty when nothing is.
    public func defects() -> [FieldDefect] {
        var found: [FieldDefect] = []
        func check(_ field: String, _ value: Int, _ range: ClosedRange<Int>) {
            guard !range.contains(value) else { return }
            found.append(
                .init(
                    field: field, code: .outOfRange,
                    message: "\(value) is outside \(range.lowerBound) to \(range.upperBound)"))
        }
        check("count", count, 1...Limit.hosts)
        check("capacity.milliCPU", capacity.milliCPU, 1...WorkloadLimit.milliCPU)
        check("capacity.memoryMiB", capacity.memoryMiB, 1...WorkloadLimit.memoryMiB)
        check("reserved.milliCPU", reserved.milliCPU, 0...max(0, capacity.milliCPU))
        check("reserved.memoryMiB", reserved.memoryMiB, 0...max(0, capacity.memoryMiB))
        check("zones", zones, 1...Limit.hosts)
        check("racksPerZone", racksPerZone, 1...Limit.hosts)
        check("startFailuresPerMillion", startFailuresPerMillion, 0...1_000_000)
        if let devices {
            check("devices.perHost", devices.perHost, 0...Limit.devices)
            check("devices.hostsPerMille", devices.hostsPerMille, 0...1000)
        }
        if let defect = Name.defect(in: name(ofHost: max(0, count - 1))) {
            found.append(.init(field: "namePrefix", code: .invalid, message: "the host name \(defect)"))
        }
        for (field, model) in [("startLatency", startLatency), ("stopLatency", stopLatency)] {
            guard let defect = model.defect else { continue }
            found.append(.init(field: field, code: .outOfRange, message: defect))
        }
        return found
    }
}
