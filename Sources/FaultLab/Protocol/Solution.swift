/// What an agent submits at the end of a stage.
public enum Solution: Sendable, Hashable, Codable {
    case detection(hasAnomaly: Bool)
    /// The likeliest first; empty when nothing is wrong.
    case localisation([ComponentName])
    /// Words as the agent wrote them, nil where nothing is wrong.
    case analysis(systemLevel: String?, faultType: String?)
    case mitigation

    public var stage: Stage {
        switch self {
        case .detection: .detection
        case .localisation: .localisation
        case .analysis: .analysis
        case .mitigation: .mitigation
        }
    }

    /// Components of an answer: more are no answer but a list of everything.
    public static let mostComponents = 5

    /// Reads the arguments of `submit`.
    ///
    /// - Parameter mode: strict drops arguments with names, as AIOpsLab does, so that only those by place
    ///   are an answer.
    /// - Throws: `ActionRefusal` with code `submission`: not of the form that the stage asks for.
    public init(_ call: ActionCall, for stage: Stage, mode: ActionTextParser.Mode) throws(ActionRefusal) {
        var given = call.arguments.count == 1 ? call.arguments[0] : nil
        if given == nil, mode == .lenient, call.arguments.isEmpty {
            given = Self.named(call.keywords, stage)
        }
        if call.arguments.count > 1 { given = .list(call.arguments) }
        switch stage {
        case .detection: self = try Self.detection(given)
        case .localisation: self = try Self.localisation(given)
        case .analysis: self = try Self.analysis(given)
        case .mitigation: self = .mitigation
        }
    }

    private static func named(_ keywords: [String: ActionValue], _ stage: Stage) -> ActionValue? {
        let names: [String] =
            switch stage {
            case .detection: ["has_anomaly", "solution", "answer"]
            case .localisation: ["components", "faulty_components", "solution", "answer"]
            case .analysis: ["analysis", "solution", "answer"]
            case .mitigation: []
            }
        for name in names { if let value = keywords[name] { return value } }
        return stage == .analysis && keywords["system_level"] != nil ? .mapping(keywords) : nil
    }

    private static func detection(_ value: ActionValue?) throws(ActionRefusal) -> Self {
        var value = value
        if case .mapping(let mapping) = value { value = mapping["has_anomaly"] }
        switch value {
        case .text(let text) where text.lowercased() == "yes": return .detection(hasAnomaly: true)
        case .text(let text) where text.lowercased() == "no": return .detection(hasAnomaly: false)
        case .bool(let answer): return .detection(hasAnomaly: answer)
        default: throw ActionRefusal(.submission, "Submit \"Yes\" or \"No\".")
        }
    }

    private static func localisation(_ value: ActionValue?) throws(ActionRefusal) -> Self {
        var value = value
        if case .mapping(let mapping) = value { value = mapping["components"] }
        guard let names = value?.asTexts else {
            throw ActionRefusal(.submission, "Submit a list of components, empty when nothing is wrong.")
        }
        guard names.count <= mostComponents else {
            throw ActionRefusal(.submission, "Submit at most \(mostComponents) components.")
        }
        return .localisation(names.map(ComponentName.init))
    }

    private static func analysis(_ value: ActionValue?) throws(ActionRefusal) -> Self {
        guard let value, value != .null else { return .analysis(systemLevel: nil, faultType: nil) }
        guard case .mapping(let mapping) = value else {
            throw ActionRefusal(.submission, "Submit a mapping with system_level and fault_type.")
        }
        return .analysis(
            systemLevel: mapping["system_level"]?.asText, faultType: mapping["fault_type"]?.asText)
    }
}
