public import Fleet

/// The health of a host's devices, from what the kernel's log and the devices' counters say.
///
/// A value: the same events at the same times lead to the same verdicts. Findings stay until something
/// happened that takes them away (a reset, a load of the driver, a boot, a counter that no longer says so);
/// notes that take no capacity away end by themselves. Incidents outlive what they led to, so that a device
/// that needs a reset again and again is seen.
public struct DeviceHealthModel: Sendable, Hashable, Codable {
    public enum Limit {
        /// Incidents of one device that are remembered; the oldest go first.
        public static let incidents = 64
        /// Codes of one device with a finding: a device that says more says nothing.
        public static let findings = 32
        /// Addresses of no known device that are told apart.
        public static let strangers = 64
    }

    struct Finding: Sendable, Hashable, Codable {
        var action: DeviceVerdict.Action
        var text: String
        var since: Timestamp
        var last: Timestamp
    }

    /// A time at which something was asked for, whatever codes said so; `at` moves on while it goes on.
    struct Incident: Sendable, Hashable, Codable {
        var action: DeviceVerdict.Action
        var at: Timestamp
    }

    struct Record: Sendable, Hashable, Codable {
        /// By their source, such as `xid79` or `counter.remapPending`.
        var findings: [String: Finding] = [:]
        var incidents: [Incident] = []
        var window: CounterWindow?
    }

    /// What was seen since the file was begun, for metrics.
    public struct Tally: Sendable, Hashable, Codable {
        public var xids: [Int: Int] = [:]
        public var malformed = 0
        /// Lines that the kernel dropped before they were read.
        public var lost = 0
        /// XIDs of addresses at which no device is known.
        public var strangers: [String: Int] = [:]

        public init() {}
    }

    private var bootID = ""
    private var records: [String: Record] = [:]
    public private(set) var tally = Tally()

    public init() {}

    // MARK: Events

    /// What happened before another boot is over; what it says of a device's past is kept.
    public mutating func booted(_ id: String) {
        guard id != bootID else { return }
        bootID = id
        for uuid in records.keys {
            records[uuid]?.findings = [:]
            records[uuid]?.window = nil
        }
    }

    public mutating func noteLost(_ lines: Int) { tally.lost += lines }

    /// One line of the kernel's log.
    /// - Parameters:
    ///   - devices: UUIDs by the address on the bus; a UUID itself is an address as well.
    public mutating func take(
        line: String, at time: Timestamp, devices: [String: String], catalogue: XIDCatalogue,
        rules: HealthRules = HealthRules()
    ) {
        switch KernelLogEvent.read(line) {
        case .other: return
        case .malformed: tally.malformed += 1
        case .event(.driverLoaded): clear(upTo: .resetDevice, of: records.keys.sorted())
        case .event(.xid(let code, let address, let text)):
            tally.xids[code, default: 0] += 1
            guard let uuid = devices[address] else { return note(stranger: address) }
            take(code, text, uuid, time, catalogue, rules)
        }
    }

    private mutating func note(stranger address: String) {
        let isKnown = tally.strangers[address] != nil || tally.strangers.count < Limit.strangers
        tally.strangers[isKnown ? address : "other", default: 0] += 1
    }

    private mutating func take(
        _ code: Int, _ text: String, _ uuid: String, _ time: Timestamp, _ catalogue: XIDCatalogue,
        _ rules: HealthRules
    ) {
        switch catalogue.treatment(of: code) {
        case .counted: return
        case .recoveryAction:
            switch KernelLogEvent.recovery(text) {
            case .none?: clear(upTo: .restartHost, of: [uuid])
            case .inspectHost?: find(code, .inspectHost, .never, text, uuid, time, rules)
            case .resetDevice?: find(code, .resetDevice, .never, text, uuid, time, rules)
            case .restartHost?: find(code, .restartHost, .never, text, uuid, time, rules)
            case nil: find(code, .investigate, .never, text, uuid, time, rules)
            }
        case .finding(let action, let escalation):
            find(code, action, escalation, catalogue.title(of: code), uuid, time, rules)
        }
    }

    private mutating func find(
        _ code: Int, _ action: DeviceVerdict.Action, _ escalation: XIDTreatment.Escalation, _ text: String,
        _ uuid: String, _ time: Timestamp, _ rules: HealthRules
    ) {
        let source = "xid\(code)"
        var record = records[uuid, default: Record()]
        var (action, text) = (action, code == 154 ? "XID 154: \(text)" : text)
        if escalation == .byRepeats {
            let repeats = record.note(Incident(action: action, at: time), rules)
            if let worse = rules.escalation(of: action, repeats: repeats) {
                text += ", \(repeats) such incidents"
                action = worse
            }
        }
        // A code does not get better by being seen once more, and says the same: each other text is news to
        // everybody.
        if let before = record.findings[source], before.action >= action {
            action = before.action
            text = before.text
        }
        let since = record.findings[source].flatMap { $0.action == action ? $0.since : nil } ?? time
        if record.findings[source] != nil || record.findings.count < Limit.findings {
            record.findings[source] = Finding(action: action, text: text, since: since, last: time)
        }
        records[uuid] = record
    }

    /// Takes findings of the log away; those of counters are looked at anew with the next sample.
    private mutating func clear(upTo action: DeviceVerdict.Action, of uuids: [String]) {
        for uuid in uuids {
            let left = (records[uuid]?.findings ?? [:]).filter { $0.value.action > action }
            records[uuid]?.findings = left
        }
    }

    /// A look at counters. Devices that are not in it keep what is known of them.
    public mutating func take(
        _ samples: [DeviceCounters], at now: Timestamp, rules: HealthRules = HealthRules()
    ) {
        for sample in samples {
            var record = records[sample.uuid, default: Record()]
            if record.window == nil {
                record.window = CounterWindow(sample, at: now)
            } else {
                record.window?.take(sample, at: now, rules: rules)
            }
            let found = record.window?.findings(rules) ?? []
            let names = Set(found.map { "counter.\($0.name)" })
            record.findings = record.findings.filter {
                !$0.key.hasPrefix("counter.") || names.contains($0.key)
            }
            for (name, action, text) in found {
                let source = "counter.\(name)"
                // Numbers move with every look; what was told stays until something else is to be done.
                let before = record.findings[source]
                record.findings[source] = Finding(
                    action: action, text: before?.text ?? text, since: before?.since ?? now, last: now)
            }
            records[sample.uuid] = record
        }
    }

    // MARK: Verdicts

    /// What is known against a device; nil when nothing is.
    public func verdict(
        of uuid: String, at now: Timestamp, rules: HealthRules = HealthRules()
    ) -> DeviceVerdict? {
        let findings = (records[uuid]?.findings ?? [:]).filter { source, finding in
            finding.action > .restartWorkload || source.hasPrefix("counter.")
                || now.since(finding.last) < rules.noteFor
        }
        let ordered = findings.sorted {
            ($1.value.action, $0.value.since, $0.key) < ($0.value.action, $1.value.since, $1.key)
        }.map(\.value)
        guard let gravest = ordered.first else { return nil }
        return DeviceVerdict(
            action: gravest.action,
            reasons: ordered.prefix(DeviceVerdict.Limit.reasons).map {
                String($0.text.prefix(DeviceVerdict.Limit.reasonLength))
            },
            since: gravest.since)
    }

    /// A device as it is: never better than its driver says.
    public func judged(_ device: Device, at now: Timestamp, rules: HealthRules = HealthRules()) -> Device {
        var device = device
        device.verdict = verdict(of: device.uuid, at: now, rules: rules)
        guard device.health != .unknown, let verdict = device.verdict else { return device }
        device.health = device.health.worse(of: verdict.action.health)
        return device
    }
}

extension DeviceHealthModel.Record {
    /// Notes an incident, unless the last one goes on: a failing device says the same in several codes.
    ///
    /// - Returns: how many there were within the window, this one included.
    mutating func note(_ incident: DeviceHealthModel.Incident, _ rules: HealthRules) -> Int {
        incidents.removeAll { incident.at.since($0.at) > max(rules.repairWindow, rules.workloadWindow) }
        if let index = incidents.lastIndex(where: { $0.action == incident.action }),
            incident.at.since(incidents[index].at) < rules.incident
        {
            incidents[index].at = max(incidents[index].at, incident.at)
        } else {
            incidents.append(incident)
            incidents.removeFirst(max(0, incidents.count - DeviceHealthModel.Limit.incidents))
        }
        let window = incident.action == .restartWorkload ? rules.workloadWindow : rules.repairWindow
        return incidents.count { $0.action == incident.action && incident.at.since($0.at) <= window }
    }
}

extension HealthRules {
    /// What so many incidents ask for instead; nil for as few.
    func escalation(of action: DeviceVerdict.Action, repeats: Int) -> DeviceVerdict.Action? {
        switch action {
        case .restartWorkload: repeats >= workloadRepeats ? .resetDevice : nil
        case .resetDevice: repeats >= resetRepeats ? .repairHost : nil
        case .restartHost: repeats >= restartRepeats ? .repairHost : nil
        case .investigate, .inspectHost, .repairHost: nil
        }
    }
}

extension Device.Health {
    fileprivate func worse(of other: Device.Health) -> Device.Health {
        let order: [Device.Health] = [.healthy, .degraded, .failed]
        guard let one = order.firstIndex(of: self), let two = order.firstIndex(of: other) else { return self }
        return order[max(one, two)]
    }
}
