public import Fleet
internal import Foundation

/// What the driver's XID codes mean: facts of NVIDIA's catalogue.
public struct XIDCatalogue: Sendable {
    public struct Entry: Sendable, Hashable {
        public var code: Int
        public var name: String
        public var description: String
        /// NVIDIA's words, such as `RESET_GPU`; empty where the catalogue has none.
        public var immediate: String
        public var investigation: String
    }

    public let entries: [Int: Entry]

    /// The catalogue that comes with the product. Lines that are no entries are left out; a test looks that
    /// there are none.
    public init() { self.init(text: String(decoding: PackageResources.xids_tsv, as: UTF8.self)) }

    init(text: String) {
        var entries: [Int: Entry] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 5, let code = Int(fields[0]) else { continue }
            entries[code] = Entry(
                code: code, name: fields[1], description: fields[2], immediate: fields[3],
                investigation: fields[4])
        }
        self.entries = entries
    }

    /// What a code is taken for. Codes that are not in the catalogue are looked into, and take no capacity
    /// away: a newer driver has newer codes.
    public func treatment(of code: Int) -> XIDTreatment {
        guard let entry = entries[code] else { return .finding(.investigate, .never) }
        return XIDTreatment.exceptions[code] ?? XIDTreatment(entry)
    }

    public func title(of code: Int) -> String {
        guard let entry = entries[code] else { return "XID \(code), which the catalogue does not have" }
        return "XID \(code): \(entry.description)"
    }
}

/// What becomes of one XID.
public enum XIDTreatment: Sendable, Hashable {
    /// Only counted: the driver tells of it and wants nothing.
    case counted
    /// Tells the state of the device's recovery in its text.
    case recoveryAction
    case finding(DeviceVerdict.Action, Escalation)

    /// Whether repeats make it worse.
    public enum Escalation: Sendable, Hashable {
        /// What a tenant's program can cause must not take a device away, however often it does.
        case never
        case byRepeats
    }

    /// Where the catalogue's bucket is not the whole of it.
    static let exceptions: [Int: XIDTreatment] = [
        // The flow of XID 45 follows the error that came before it; alone it is a cleanup.
        45: .counted,
        // A row that could not be remapped is a reason to replace the board ("Row Remapping", NVIDIA GPU
        // Memory Error Management): a reset returns memory that is known to be bad.
        64: .finding(.repairHost, .never),
        // Auxiliary power has to be plugged in by hand.
        54: .finding(.repairHost, .never),
        // A driver that is too old for the board is nobody's hardware fault.
        78: .finding(.investigate, .never),
    ]

    init(_ entry: XIDCatalogue.Entry) {
        switch entry.immediate {
        case "RESTART_APP", "RESTART_VM":
            let isSoftware = Self.softwareFlows.contains(entry.investigation)
            self = .finding(.restartWorkload, isSoftware ? .never : .byRepeats)
        case "RESET_GPU", "WORKFLOW_XID_48", "WORKFLOW_NVLINK_ERR", "WORKFLOW_NVLINK5_ERR":
            self = .finding(.resetDevice, .byRepeats)
        case "RESTART_BM": self = .finding(.restartHost, .byRepeats)
        case "CHECK_MECHANICALS": self = .finding(.repairHost, .never)
        case "XID_154": self = .recoveryAction
        case "CHECK_UVM", "UPDATE_SWFW": self = .finding(.investigate, .never)
        case "CONTACT_SUPPORT":
            // Rows of codes that no driver uses carry it as a default.
            self = .finding(entry.description == "Unused" ? .investigate : .repairHost, .never)
        case "IGNORE":
            let isQuiet = entry.investigation.hasPrefix("IGNORE") || entry.description == "Unused"
            self = isQuiet ? .counted : .finding(.investigate, .never)
        default: self = .finding(.investigate, .never)
        }
    }

    /// Flows that begin with the program of the tenant.
    private static let softwareFlows: Set = [
        "CHECK_APP/CUDA", "WORKFLOW_XID_13", "WORKFLOW_XID_31", "INVESTIGATE_SW", "INVESTIGATE_SW_USER",
    ]
}
