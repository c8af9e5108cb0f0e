/// What is wrong with a file of a model.
public struct LifetimeModelError: Error, Sendable, Hashable {
    /// Where the model was read from, when that is a file.
    public var file: String?
    /// Path of the field, such as `trees.values[3]`.
    public var field: String
    /// What is there; nil when nothing is.
    public var found: String?
    /// What should be there.
    public var expected: String

    public init(field: String, found: String? = nil, expected: String) {
        self.field = field
        self.found = found
        self.expected = expected
    }

    init(_ error: DecodingError) {
        let context: DecodingError.Context
        var missing: (any CodingKey)?
        var expected = "JSON"
        switch error {
        case .keyNotFound(let key, let place):
            context = place
            missing = key
            expected = "a value"
        case .valueNotFound(_, let place):
            context = place
            expected = "a value"
        case .typeMismatch(let type, let place):
            context = place
            expected = "\(type)"
        case .dataCorrupted(let place): context = place
        @unknown default:
            self.init(field: "the file", found: "\(error)", expected: expected)
            return
        }
        let path = (context.codingPath + [missing].compactMap { $0 }).reduce(into: "") { path, key in
            path += key.intValue.map { "[\($0)]" } ?? (path.isEmpty ? "" : ".") + key.stringValue
        }
        self.init(
            field: path.isEmpty ? "the file" : path,
            found: missing == nil ? context.debugDescription : nil, expected: expected)
    }
}

extension LifetimeModelError: CustomStringConvertible {
    /// Such as `model.json: version: "2" found, version 1 expected`.
    public var description: String {
        let place = (file.map { "\($0): " } ?? "") + "\(field): "
        return place + (found.map { "\"\($0)\" found, " } ?? "") + "\(expected) expected"
    }
}
