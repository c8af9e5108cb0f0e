internal import Fleet

/// Where a host is in being mended, and what is to be done next: a pure function of what is known.
struct RepairCase: Equatable {
    var host: String
    var repair: HostRepair?
    var devices: [Device]
    var isEmpty: Bool
    var isReady: Bool
    var now: Timestamp
    /// How long it has to show no defect.
    var verify: Duration
    /// More hosts may be taken out for their devices.
    var hasRoom: Bool

    /// What is done to the spec of the host.
    enum Step: Equatable {
        case open(reason: String, evidence: [String])
        /// Mended, it shows the same or another defect.
        case reopen(reason: String, evidence: [String])
        case close
        /// What was waived is no more.
        case forget
        /// It should be opened, and too many are.
        case hold(reason: String)
    }

    enum Phase: Equatable {
        case draining, awaitingRepair, verifying
    }

    var step: Step? {
        let evidence = evidence
        switch repair?.state {
        case nil:
            guard !evidence.isEmpty else { return nil }
            return hasRoom ? .open(reason: reason, evidence: evidence) : .hold(reason: reason)
        case .waived?:
            let known = Set(repair?.evidence ?? [])
            if !evidence.allSatisfy(known.contains) {
                return hasRoom ? .open(reason: reason, evidence: evidence) : .hold(reason: reason)
            }
            return devices.allSatisfy { $0.verdict?.action.takesHost != true } ? .forget : nil
        case .repaired?:
            guard let since = repair?.since, isReady, now.since(since) >= verify else { return nil }
            if let sick = devices.first(where: { $0.health != .healthy }) {
                let known = sick.verdict?.sentence ?? "its driver says \(sick.health.rawValue)"
                return .reopen(reason: "after the repair \(sick.uuid): \(known)", evidence: evidence)
            }
            return .close
        case .open?: return nil
        }
    }

    /// Nil of a host that is in service.
    var phase: Phase? {
        switch repair?.state {
        case nil, .waived?: nil
        case .repaired?: .verifying
        case .open?: isEmpty ? .awaitingRepair : .draining
        }
    }

    /// Devices that ask for the host, and since when: the same defect is the same evidence.
    private var evidence: [String] {
        Array(
            devices.compactMap { device in
                device.verdict.flatMap { $0.action.takesHost ? "\(device.uuid)@\($0.since)" : nil }
            }.sorted().prefix(HostRepair.Limit.evidence))
    }

    private var reason: String {
        let failing = devices.filter { $0.verdict?.action.takesHost == true }
        guard let first = failing.first, let verdict = first.verdict else { return "" }
        let rest = failing.count > 1 ? " and \(failing.count - 1) more devices" : ""
        return "\(first.uuid): \(verdict.sentence)\(rest)"
    }
}

extension RepairCase {
    /// What the host says of it.
    var condition: (status: Condition.Status, reason: Reason, message: String)? {
        switch (phase, repair) {
        case (.draining?, let repair?): (.yes, .repairRequested, repair.reason)
        case (.awaitingRepair?, let repair?): (.yes, .awaitingRepair, "it is empty; \(repair.reason)")
        case (.verifying?, let repair?):
            (.yes, .verifyingRepair, "mended, it has to show no defect; before: \(repair.reason)")
        case (nil, let repair?): (.no, .repairWaived, "in service in spite of \(repair.reason)")
        default: nil
        }
    }
}

extension Device {
    /// What `DevicesHealthy` says when all of them are as this one; nil of one that nothing is known against.
    var complaint: Reason? {
        switch (health, verdict) {
        case (.failed, _): .deviceFailed
        case (.degraded, _): .deviceDegraded
        case (.healthy, _?): .deviceNoted
        case (.healthy, nil), (.unknown, _): nil
        }
    }

    /// Such as `GPU-1 failed: XID 79: GPU has fallen off the bus`.
    var sentence: String {
        let known = verdict.map { ": \($0.sentence)" } ?? ""
        return "\(uuid) \(health.rawValue)\(known)"
    }

    static func condition(of devices: [Device]) -> (status: Condition.Status, reason: Reason, message: String)
    {
        let gravity: [Reason] = [.deviceFailed, .deviceDegraded, .deviceNoted]
        let complaining = devices.filter { $0.complaint != nil }.sorted {
            let (one, two) = (
                gravity.firstIndex(of: $0.complaint ?? .deviceNoted) ?? 0,
                gravity.firstIndex(of: $1.complaint ?? .deviceNoted) ?? 0
            )
            return (one, $0.uuid) < (two, $1.uuid)
        }
        guard let worst = complaining.first?.complaint else {
            return (.yes, .devicesHealthy, "nothing is known against the devices")
        }
        let shown = complaining.prefix(3).map(\.sentence).joined(separator: "; ")
        let rest = complaining.count > 3 ? "; and \(complaining.count - 3) more" : ""
        return (worst == .deviceNoted ? .yes : .no, worst, shown + rest)
    }
}
