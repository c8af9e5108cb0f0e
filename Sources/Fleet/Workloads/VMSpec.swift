/// Promise that a workload's vCPUs carry.
public enum WorkloadClass: String, Sendable, Hashable, Codable, CaseIterable {
    /// Never oversubscribed.
    case guaranteed
    /// Shares CPU within the pool's ratio.
    case standard
    /// As `standard`, first to be throttled or evicted.
    case spot
}

/// What happens to a workload when its host loses contact with the controllers.
public enum PartitionPolicy: String, Sendable, Hashable, Codable, CaseIterable {
    /// Goes on; waits for the host or an operator's confirmation.
    case keep
    /// Stopped by its shim before the fence deadline, then restarted elsewhere.
    case stop
}

/// A count of devices of one model.
public struct DeviceRequest: Sendable, Hashable, Codable {
    public var model: String
    public var count: Int

    public init(model: String, count: Int) {
        self.model = model
        self.count = count
    }
}

/// Members of one group of a project keep apart.
public struct AntiAffinity: Sendable, Hashable, Codable {
    public enum Scope: String, Sendable, Hashable, Codable, CaseIterable { case host, rack, zone }

    public var group: String
    public var scope: Scope

    public init(group: String, scope: Scope = .host) {
        self.group = group
        self.scope = scope
    }
}

/// A virtual machine as its owner wants it.
public struct VMSpec: DocumentSpec {
    public static let kind = Kind.vm
    /// Chosen once by the controllers when absent.
    public var cell: String?
    /// Any pool that admits VMs when absent.
    public var pool: String?
    /// Name of a flavor that gives resources and devices; exclusive with `resources`.
    public var flavor: String?
    public var resources: Resources?
    public var devices: [DeviceRequest]?
    /// `standard` when absent.
    public var `class`: WorkloadClass?
    /// Labels that the host must carry.
    public var hostSelector: [String: String]?
    public var antiAffinity: AntiAffinity?
    /// Expected seconds from start to deletion, when the owner knows.
    public var lifetimeHintSeconds: Int?
    /// `keep` when absent.
    public var onPartition: PartitionPolicy?
    /// Where hosts run processes: what to run; the part idles when absent.
    public var run: RunSpec?
    public var image: ImageSpec?
    /// The group that made the VM; written by the controllers only.
    public var group: GroupMembership?

    public init(
        cell: String? = nil, pool: String? = nil, flavor: String? = nil, resources: Resources? = nil,
        devices: [DeviceRequest]? = nil, class: WorkloadClass? = nil, hostSelector: [String: String]? = nil,
        antiAffinity: AntiAffinity? = nil, lifetimeHintSeconds: Int? = nil,
        onPartition: PartitionPolicy? = nil, run: RunSpec? = nil, image: ImageSpec? = nil,
        group: GroupMembership? = nil
    ) {
        self.cell = cell
        self.pool = pool
        self.flavor = flavor
        self.resources = resources
        self.devices = devices
        self.class = `class`
        self.hostSelector = hostSelector
        self.antiAffinity = antiAffinity
        self.lifetimeHintSeconds = lifetimeHintSeconds
        self.onPartition = onPartition
        self.run = run
        self.image = image
        self.group = group
    }

    public func defects() -> [FieldDefect] {
        var found: [FieldDefect] = []
        switch (flavor, resources) {
        case (nil, nil):
            found.append(
                .init(field: "spec.resources", code: .required, message: "give resources or a flavor"))
        case (.some, .some):
            found.append(
                .init(field: "spec.flavor", code: .conflict, message: "give resources or a flavor, not both"))
        case (nil, .some(let resources)):
            found += resources.defects(at: "spec.resources")
        case (.some, nil):
            if devices != nil {
                found.append(
                    .init(field: "spec.devices", code: .conflict, message: "the flavor names the devices"))
            }
        }
        found += (devices ?? []).defects(at: "spec.devices")
        if let hint = lifetimeHintSeconds, !(1...WorkloadLimit.lifetimeSeconds).contains(hint) {
            found.append(
                .init(
                    field: "spec.lifetimeHintSeconds", code: .outOfRange,
                    message: "\(hint) is outside 1 to \(WorkloadLimit.lifetimeSeconds)"))
        }
        found += selectorDefects()
        if let group = antiAffinity?.group, let defect = Name.defect(in: group) {
            found.append(
                .init(field: "spec.antiAffinity.group", code: .invalid, message: "\"\(group)\" \(defect)"))
        }
        found += run?.defects(at: "spec.run") ?? []
        found += image?.defects(at: "spec.image") ?? []
        return found
    }
}

extension VMSpec {
    fileprivate func selectorDefects() -> [FieldDefect] {
        let selector = hostSelector ?? [:]
        guard selector.count <= WorkloadLimit.selectors else {
            return [
                .init(
                    field: "spec.hostSelector", code: .outOfRange,
                    message: "\(selector.count) entries; the limit is \(WorkloadLimit.selectors)")
            ]
        }
        return selector.sorted { $0.key < $1.key }.compactMap { key, value in
            Name.labelDefect(key: key, value: value).map {
                .init(field: "spec.hostSelector", code: .invalid, message: $0)
            }
        }
    }
}

/// Named amounts that VMs refer to.
public struct FlavorSpec: DocumentSpec {
    public static let kind = Kind.flavor
    public var resources: Resources
    public var devices: [DeviceRequest]?

    public init(resources: Resources, devices: [DeviceRequest]? = nil) {
        self.resources = resources
        self.devices = devices
    }

    public func defects() -> [FieldDefect] {
        resources.defects(at: "spec.resources") + (devices ?? []).defects(at: "spec.devices")
    }
}

/// A tenant, with what it may hold at once.
public struct ProjectSpec: DocumentSpec {
    public static let kind = Kind.project
    /// Absent: no limit.
    public var quota: Quota?

    public init(quota: Quota? = nil) { self.quota = quota }

    public func defects() -> [FieldDefect] {
        guard let quota else { return [] }
        return [("milliCPU", quota.milliCPU), ("memoryMiB", quota.memoryMiB), ("devices", quota.devices)]
            .filter { !(0...WorkloadLimit.quota).contains($0.1 ?? 0) }
            .map {
                .init(
                    field: "spec.quota.\($0.0)", code: .outOfRange,
                    message: "\($0.1 ?? 0) is outside 0 to \(WorkloadLimit.quota)")
            }
    }
}

/// Upper bounds on a project's unreleased allocations; nil is unbounded.
public struct Quota: Sendable, Hashable, Codable {
    public var milliCPU: Int?
    public var memoryMiB: Int?
    public var devices: Int?

    public init(milliCPU: Int? = nil, memoryMiB: Int? = nil, devices: Int? = nil) {
        self.milliCPU = milliCPU
        self.memoryMiB = memoryMiB
        self.devices = devices
    }
}

/// Bounds on one workload part; larger values are a slip of the keyboard, not a machine.
public enum WorkloadLimit {
    /// 4,096 vCPUs: above the largest machine sold today.
    public static let milliCPU = 4_096_000
    /// 64 TiB.
    public static let memoryMiB = 67_108_864
    /// Devices of one model on one host.
    public static let devices = 64
    /// The largest integer that every reader of JSON keeps exact (RFC 8259, 6).
    public static let quota = 9_007_199_254_740_991
    /// A hundred years: times stay far from the end of the calendar.
    public static let lifetimeSeconds = 3_153_600_000
    /// Labels that a host is selected by: as many as one may carry.
    public static let selectors = 64
    /// Members of one group: they are made, and may be placed, in one transaction.
    public static let replicas = 256
}

extension Resources {
    func defects(at field: String) -> [FieldDefect] {
        let rules = [
            ("milliCPU", milliCPU, WorkloadLimit.milliCPU), ("memoryMiB", memoryMiB, WorkloadLimit.memoryMiB),
        ]
        return rules.filter { !(1...$0.2).contains($0.1) }.map { name, value, limit in
            FieldDefect(
                field: "\(field).\(name)", code: .outOfRange,
                message: "\(value) is outside 1 to \(limit); the nearest is \(min(max(value, 1), limit))")
        }
    }
}

extension [DeviceRequest] {
    func defects(at field: String) -> [FieldDefect] {
        var found: [FieldDefect] = []
        for (index, request) in enumerated() {
            if !(1...Name.labelLengthLimit).contains(request.model.unicodeScalars.count) {
                found.append(
                    .init(field: "\(field)[\(index)].model", code: .required, message: "name a device model"))
            }
            if !(1...WorkloadLimit.devices).contains(request.count) {
                found.append(
                    .init(
                        field: "\(field)[\(index)].count", code: .outOfRange,
                        message: "\(request.count) is outside 1 to \(WorkloadLimit.devices)"))
            }
            if self[..<index].contains(where: { $0.model == request.model }) {
                found.append(
                    .init(
                        field: "\(field)[\(index)].model", code: .conflict,
                        message: "\"\(request.model)\" is named twice; add the counts"))
            }
        }
        return found
    }
}
