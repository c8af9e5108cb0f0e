/// What keeps a serving plan from being made.
public struct ServingError: Error, Sendable, Hashable {
    public enum Code: String, Sendable, Hashable, CaseIterable {
        case catalogue, gpu, model, cluster, workload, settings, plan, event
        /// No set of groups serves the model.
        case infeasible
    }

    /// Closed; callers go by it, people by `description`.
    public var code: Code
    /// One line.
    public var message: String
    /// What would do, where a name was mistyped.
    public var choices: [String]
    /// The name that was mistyped.
    public var value: String?

    public init(_ code: Code, _ message: String, choices: [String] = [], value: String? = nil) {
        self.code = code
        self.message = message
        self.choices = choices
        self.value = value
    }

    /// What a decoder complains of, in one line with the path.
    static func words(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        func path(_ context: DecodingError.Context) -> String {
            context.codingPath.isEmpty ? "" : context.codingPath.map(\.stringValue).joined(separator: ".")
        }
        switch error {
        case .keyNotFound(let key, let context): return "\(path(context)) has no \"\(key.stringValue)\""
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            return "\(path(context)) is no \(type)"
        case .dataCorrupted(let context):
            return context.codingPath.isEmpty ? "no JSON" : "\(path(context)): \(context.debugDescription)"
        @unknown default: return "\(error)"
        }
    }
}

extension ServingError: CustomStringConvertible {
    public var description: String { message }
}
