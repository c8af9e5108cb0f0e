/// Why a runtime did not do what it was asked, as far as an agent must tell cases apart.
public enum RuntimeError: Error, Sendable, Equatable {
    /// Certainly nothing runs, and asking again is useless.
    case refused(String)
    /// The runtime never heard of the part, so it does not run.
    case unknownPart
    /// Nobody knows whether it happened. The agent never takes this for either outcome.
    case indeterminate(String)

    /// For people.
    var message: String {
        switch self {
        case .refused(let message), .indeterminate(let message): message
        case .unknownPart: "the part is not known on its host"
        }
    }
}
