/// What an action is called, takes and does: all that an agent is told about it.
public struct ActionSignature: Sendable, Hashable, Codable {
    public enum Access: String, Sendable, Hashable, Codable {
        /// Looks, and changes nothing.
        case read
        /// Changes the fleet; counted, and judged for harm.
        case write
        /// Ends a stage.
        case submit
    }

    public struct Parameter: Sendable, Hashable, Codable {
        public enum Form: String, Sendable, Hashable, Codable { case text, integer, bool, texts, mapping }

        public var name: String
        public var form: Form
        /// Nil when it may be left out and then has no value.
        public var standard: ActionValue?
        public var isRequired: Bool

        static func required(_ name: String, _ form: Form = .text) -> Self {
            Self(name: name, form: form, standard: nil, isRequired: true)
        }

        static func optional(_ name: String, _ form: Form = .text, _ standard: ActionValue? = nil) -> Self {
            Self(name: name, form: form, standard: standard, isRequired: false)
        }
    }

    public var verb: ActionVerb
    public var access: Access
    public var parameters: [Parameter]
    /// Sentences for the agent.
    public var documentation: String

    /// Such as `get_logs(target: text, since_s: integer = 300)`.
    public var usage: String {
        let listed = parameters.map { parameter in
            let head = "\(parameter.name): \(parameter.form.rawValue)"
            guard !parameter.isRequired else { return head }
            return "\(head) = \(parameter.standard?.asText ?? "None")"
        }
        return "\(verb.rawValue)(\(listed.joined(separator: ", ")))"
    }
}

/// The values of one call by the names of their parameters.
struct BoundArguments {
    let all: [String: ActionValue]
    private let signature: ActionSignature

    /// - Throws: an argument too many, unknown, given twice, missing or of another form.
    init(_ call: ActionCall, _ signature: ActionSignature) throws(ActionRefusal) {
        self.signature = signature
        let parameters = signature.parameters
        guard call.arguments.count <= parameters.count else {
            throw ActionRefusal(.arguments, "\(signature.usage) takes no more than \(parameters.count).")
        }
        var values: [String: ActionValue] = [:]
        for (parameter, value) in zip(parameters, call.arguments) { values[parameter.name] = value }
        for (name, value) in call.keywords.sorted(by: { $0.key < $1.key }) {
            guard parameters.contains(where: { $0.name == name }) else {
                throw ActionRefusal(.arguments, "\(signature.usage) takes no \"\(name)\".")
            }
            guard values[name] == nil else {
                throw ActionRefusal(.arguments, "\"\(name)\" is given twice.")
            }
            values[name] = value
        }
        for parameter in parameters {
            let value = values[parameter.name] ?? parameter.standard ?? .null
            guard value != .null else {
                guard !parameter.isRequired else {
                    throw ActionRefusal(.arguments, "\(signature.usage) needs \"\(parameter.name)\".")
                }
                continue
            }
            guard Self.has(value, parameter.form) else {
                throw ActionRefusal(
                    .arguments, "\"\(parameter.name)\" of \(signature.usage) has another form.")
            }
            values[parameter.name] = value
        }
        all = values
    }

    private static func has(_ value: ActionValue, _ form: ActionSignature.Parameter.Form) -> Bool {
        switch form {
        case .text: value.asText != nil
        case .integer: value.asInteger != nil
        case .bool: value.asBool != nil
        case .texts: value.asTexts != nil
        case .mapping: if case .mapping = value { true } else { false }
        }
    }

    func text(_ name: String) -> String { all[name]?.asText ?? "" }
    func optionalText(_ name: String) -> String? { all[name]?.asText }
    func integer(_ name: String) -> Int { all[name]?.asInteger ?? 0 }
    func optionalInteger(_ name: String) -> Int? { all[name]?.asInteger }
    func bool(_ name: String) -> Bool { all[name]?.asBool ?? false }
    func texts(_ name: String) -> [String] { all[name]?.asTexts ?? [] }

    func mapping(_ name: String) -> [String: ActionValue] {
        if case .mapping(let mapping) = all[name] { mapping } else { [:] }
    }
}

/// Why a call is not carried out.
public struct ActionRefusal: Error, Sendable, Hashable, Codable {
    public enum Code: String, Sendable, Hashable, Codable {
        /// There is no such action.
        case unknownAction
        case arguments
        /// What is submitted is not of the form that the stage asks for.
        case submission
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
