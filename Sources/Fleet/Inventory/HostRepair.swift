/// A host that is to be mended: out of service until somebody says that it is, and it has shown so.
///
/// `open → repaired → (none)`; `repaired → open` when it shows no better; `open, repaired → waived` when a
/// person takes it back into service in spite of its devices, which then ask for nothing until something new
/// is the matter with them.
public struct HostRepair: Sendable, Hashable, Codable {
    public enum State: String, Sendable, Hashable, ClosedWord {
        /// It is emptied, and then waits for whoever mends it.
        case open
        /// Somebody says that it was mended; it has to show so.
        case repaired
        /// It is in service, whatever `evidence` says.
        case waived
    }

    public enum Limit {
        /// Devices of the largest host sold, and some.
        public static let evidence = 64
    }

    public var state: State
    public var reason: String
    /// When `state` began.
    public var since: Timestamp
    /// Devices that asked for it and since when, such as `GPU-1@2026-06-01T08:00:00Z`; nil when a person did.
    public var evidence: [String]?
    /// Why it was cordoned before that; it is so again when it is mended.
    public var cordonedBefore: String?

    public init(
        state: State, reason: String, since: Timestamp, evidence: [String]? = nil,
        cordonedBefore: String? = nil
    ) {
        self.state = state
        self.reason = reason
        self.since = since
        self.evidence = evidence
        self.cordonedBefore = cordonedBefore
    }

    func defects(at field: String) -> [FieldDefect] {
        var found: [FieldDefect] = []
        if reason.isEmpty {
            found.append(
                .init(field: "\(field).reason", code: .required, message: "say what is to be mended"))
        }
        if let evidence, evidence.count > Limit.evidence {
            found.append(
                .init(
                    field: "\(field).evidence", code: .outOfRange,
                    message: "\(evidence.count) devices; the limit is \(Limit.evidence)"))
        }
        return found
    }
}

extension HostSpec {
    /// Takes the host out of service to be mended.
    public mutating func openRepair(_ reason: String, evidence: [String]? = nil, at now: Timestamp) {
        let before = repair.flatMap { $0.state == .waived ? nil : $0.cordonedBefore }
        let isNew = repair == nil || repair?.state == .waived
        repair = HostRepair(
            state: .open, reason: reason, since: now, evidence: evidence,
            cordonedBefore: isNew && cordoned == true ? cordonReason : before)
        cordoned = true
        draining = true
        cordonReason = reason
        // What is about to fail waits for no window.
        drain = DrainSpec(force: true)
    }

    /// Somebody says that the host is mended.
    public mutating func markRepaired(at now: Timestamp) {
        repair?.state = .repaired
        repair?.since = now
    }

    /// Back into service, or to how it was before.
    public mutating func closeRepair() {
        let before = repair?.cordonedBefore
        repair = nil
        draining = nil
        drain = nil
        cordoned = before == nil ? nil : true
        cordonReason = before
    }

    /// A person takes the host into service: what is known against its devices now asks for nothing more.
    public mutating func waiveRepair(at now: Timestamp) {
        guard let known = repair, known.evidence != nil else {
            repair = nil
            return
        }
        repair?.state = .waived
        repair?.since = now
        repair?.cordonedBefore = nil
    }
}
