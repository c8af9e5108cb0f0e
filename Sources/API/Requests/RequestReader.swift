internal import APITypes
internal import Fleet
internal import Foundation
internal import Hummingbird
internal import NIOCore

/// Reads the body of a request, and says what is wrong with it in the words of the request.
enum RequestReader {
    /// A request that a user sends: a field that is not known is a slip, and refused.
    static func read<Value: Decodable>(_ body: Data) throws -> Value {
        let value: Value = try decode(body)
        var causes: [FieldDefect] = []
        UnknownFields.find(in: try decode(body), read: value, at: "", into: &causes)
        if !causes.isEmpty { throw Problem(.invalid, detail: "the request is not valid", causes: causes) }
        return value
    }

    /// As `read`, of what is still on its way.
    static func read<Value: Decodable>(_ request: Request, upTo limit: Int = RequestLimit.documentBytes)
        async throws -> Value
    {
        try read(Data(try await request.body.collect(upTo: limit).readableBytesView))
    }

    /// A request of an agent, which may be newer than this server: what is not known is left alone.
    static func readTolerantly<Value: Decodable>(_ request: Request) async throws -> Value {
        let body = try await request.body.collect(upTo: RequestLimit.agentBytes)
        return try decode(Data(body.readableBytesView))
    }

    /// - Parameter what: what is read, for the message.
    static func decode<Value: Decodable>(_ body: Data, what: String = "request") throws -> Value {
        try JSONText.check(body)
        do {
            return try JSONDecoder().decode(Value.self, from: body)
        } catch let error as DecodingError {
            // why: what is no JSON is told so
            let json = try? JSONDecoder().decode(JSONValue.self, from: body)
            let cause = FieldDefect(error, under: "", given: json)
            if cause.field.isEmpty { throw Problem(.malformedRequest, detail: cause.message) }
            throw Problem(.invalid, detail: "the \(what) is not valid", causes: [cause])
        }
    }
}

extension FieldDefect {
    /// Members of an object that are not known, each with the nearest that is, and those that are null: what
    /// is absent has one spelling.
    static func unknown(in json: JSONValue, known: [String], at prefix: String) -> [FieldDefect] {
        (json.object ?? [:]).sorted { $0.key < $1.key }.compactMap { name, value in
            let shown = String(name.prefix(80))
            guard known.contains(name) else {
                let nearest =
                    NearestChoice.of(shown, among: known).map { "; did you mean \"\($0)\"?" } ?? ""
                return FieldDefect(
                    field: "\(prefix)\(shown)", code: .unknownField, message: "is not known\(nearest)")
            }
            guard value == .null else { return nil }
            return FieldDefect(
                field: "\(prefix)\(name)", code: .invalid, message: "is null; leave the field out")
        }
    }
}

extension FieldDefect {
    /// What a decoding error says, in the words of the document.
    init(_ error: DecodingError, under root: String, given: JSONValue?) {
        func path(_ keys: [any CodingKey]) -> String {
            keys.reduce(root) { text, key in
                if let index = key.intValue { return "\(text)[\(index)]" }
                return text.isEmpty ? key.stringValue : "\(text).\(key.stringValue)"
            }
        }
        switch error {
        case .keyNotFound(let key, let context):
            self.init(field: path(context.codingPath + [key]), code: .required, message: "is missing")
        case .typeMismatch(let type, let context):
            self.init(
                field: path(context.codingPath), code: .invalid, message: "is not \(Self.word(for: type))")
        case .valueNotFound(let type, let context):
            self.init(
                field: path(context.codingPath), code: .required,
                message: "is null instead of \(Self.word(for: type))")
        case .dataCorrupted(let context)
        where context.codingPath.isEmpty && given?.firstFraction(at: root) != nil:
            // The decoder says "not JSON" of a number that its type cannot hold, and not where it is.
            self.init(
                field: given?.firstFraction(at: root) ?? root, code: .outOfRange,
                message: "is not an integer of 64 bits")
        case .dataCorrupted(let context):
            let text = context.codingPath.isEmpty ? "the body is not JSON" : context.debugDescription
            self.init(field: path(context.codingPath), code: .invalid, message: text)
        @unknown default:
            self.init(field: root, code: .invalid, message: "cannot be read")
        }
    }

    private static func word(for type: any Any.Type) -> String {
        switch type {
        case is String.Type: "a string"
        case is Bool.Type: "true or false"
        case is Int.Type: "an integer"
        case is Double.Type: "a number"
        case is [Any].Type: "a list"
        default: "of the right type"
        }
    }
}

extension JSONValue {
    /// Path of the first number that is no integer of 64 bits, by name; nil when there is none.
    fileprivate func firstFraction(at path: String) -> String? {
        switch self {
        case .number: return path
        case .array(let elements):
            for (index, element) in elements.enumerated() {
                if let found = element.firstFraction(at: "\(path)[\(index)]") { return found }
            }
            return nil
        case .object(let members):
            for (name, member) in members.sorted(by: { $0.key < $1.key }) {
                if let found = member.firstFraction(at: path.isEmpty ? name : "\(path).\(name)") {
                    return found
                }
            }
            return nil
        default: return nil
        }
    }
}
