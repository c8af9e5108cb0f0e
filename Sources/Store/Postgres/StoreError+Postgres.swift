internal import Fleet
internal import FoundationEssentials
internal import PostgresClient

extension StoreError {
    /// What a refusal carries in DETAIL.
    private struct Detail: Decodable {
        var kind: Kind?
        var name: String?
        var field: String?
        var by: String?
    }

    /// The store's word for what the database said.
    init(_ error: PostgresError) {
        if error.code == .commitOutcomeUnknown {
            self = .outcomeUnknown(error.description)
        } else if error.code == .poolExhausted || error.code == .poolTimeout || error.code == .poolClosed {
            self = .unavailable(error.description)
        } else if error.isConnectionLost {
            // A single statement is its own transaction: whether it committed is not known.
            self =
                error.code == .connectionLost
                ? .outcomeUnknown(error.description) : .unavailable(error.description)
        } else if error.isQueryCanceled || error.isLockNotAvailable || error.isRetryableSerialization {
            self = .unavailable(error.description)
        } else if let state = error.sqlState, state.hasPrefix("BA") {
            self = Self.refusal(state, error.detail ?? "")
        } else if error.isUniqueViolation {
            self = Self.conflict(error)
        } else {
            self = .corrupt(error.description)
        }
    }

    /// Two writers of one name, token or device at once; the unique index tells the second.
    private static func conflict(_ error: PostgresError) -> StoreError {
        switch error.constraint {
        case "document_kind_project_name_key":
            // As the server words it: `Key (kind, project, name)=(VM, team, web) already exists.`
            let match = error.detail?.firstMatch(of: #/=\((\w+), (.*), (.*)\)/#)
            guard let match, let kind = Kind(rawValue: String(match.1)) else { break }
            return .alreadyExists(kind: kind, name: String(match.3))
        case "device_pkey", "allocation_device_holder", "allocation_writer",
            "agent_session_credential_hash_key":
            return .unavailable(error.description)
        default: break
        }
        return .corrupt(error.description)
    }

    private static func refusal(_ state: String, _ text: String) -> StoreError {
        // why: not every one is JSON
        let detail = try? JSONDecoder().decode(Detail.self, from: Data(text.utf8))
        let kind = detail?.kind ?? .vm
        let name = detail?.name ?? text
        switch state {
        case "BA001": return .leaseLost(cell: text)
        case "BA002": return .planParentStale(current: ID(text))
        case "BA003": return ID<Plan>(text).map(StoreError.planAlreadyApplied) ?? .corrupt(text)
        case "BA004": return .notFound(kind: kind, name: name)
        case "BA005": return .alreadyExists(kind: kind, name: name)
        case "BA006": return .preconditionFailed(current: text)
        case "BA007": return .beingDeleted(kind: kind, name: name)
        case "BA008": return .inUse(kind: kind, name: name, by: detail?.by ?? "")
        case "BA009": return .referenceMissing(field: detail?.field ?? "", kind: kind, name: name)
        case "BA010": return .idempotencyKeyReused(text)
        case "BA011": return .watchExpired
        case "BA012": return .sessionSuperseded(current: Int(text) ?? 0)
        case "BA013": return .unauthorized(text)
        default: return .corrupt(text)
        }
    }
}
