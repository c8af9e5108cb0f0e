internal import APITypes
internal import Fleet
internal import Foundation

/// One request, independent of the server that it goes to.
struct Call: Sendable {
    enum Method: String, Sendable {
        case get = "GET", post = "POST", put = "PUT", patch = "PATCH", delete = "DELETE"
    }

    var method: Method
    var path: APIPath
    var query: [(name: String, value: String)] = []
    var headers: [(name: String, value: String)] = []
    var body: Data?
    /// Added to the usual time until an answer; the wait of a long-poll.
    var extraWait: Duration = .zero
    /// Whether sending it twice does no more than sending it once.
    var repeatable: Bool

    static func get(_ path: APIPath, query: [(name: String, value: String)] = []) -> Call {
        Call(method: .get, path: path, query: query, repeatable: true)
    }

    /// A POST whose repetition the server recognises by its key.
    static func post(
        _ path: APIPath, body: some Encodable, key: String, dryRun: Bool = false
    ) throws -> Call {
        Call(
            method: .post, path: path, query: dryRun ? [("dryRun", "true")] : [],
            headers: [("idempotency-key", key), ("content-type", "application/json")],
            body: try WireJSON.encode(body), repeatable: true)
    }

    /// A change guarded by the entity tag of the version that the caller saw.
    static func guarded(
        _ method: Method, _ path: APIPath, body: Data?, match: EntityMatch, type: String = "application/json"
    ) -> Call {
        var headers = [(name: "if-match", value: match.header)]
        if body != nil { headers.append(("content-type", type)) }
        return Call(method: method, path: path, headers: headers, body: body, repeatable: true)
    }

    /// Path and query as they follow the address of the server.
    var target: String {
        guard !query.isEmpty else { return path.description }
        return path.description + "?"
            + query.map { "\(APIPath.escape($0.name))=\(APIPath.escape($0.value))" }.joined(separator: "&")
    }
}

/// A path under `/v1`, each segment escaped.
struct APIPath: Sendable, Equatable, CustomStringConvertible {
    let description: String

    init(_ segments: String...) {
        description = segments.reduce(into: "/v1") { $0 += "/" + Self.escape($1) }
    }

    private init(description: String) { self.description = description }

    /// What is served beside the versions of the interface.
    static let metrics = APIPath(description: "/metrics")

    func appending(_ segment: String) -> APIPath {
        APIPath(description: description + "/" + Self.escape(segment))
    }

    /// Percent-encodes all but the unreserved characters of RFC 3986.
    static func escape(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 95, 126: bytes.append(byte)
            default: bytes += [37, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// JSON as it travels: sorted keys, so that equal values are equal bytes.
enum WireJSON {
    static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value)
    }

    /// The value, or nil when the data is something else.
    static func recognise<Value: Decodable>(_ type: Value.Type, in data: Data) -> Value? {
        // why: an answer of a proxy, or an event, is something else and no error
        try? JSONDecoder().decode(type, from: data)
    }

    static func decode<Value: Decodable>(_ type: Value.Type, from data: Data) throws(ClientError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch {
            throw .unintelligible("the server's answer is not a \(type): \(error)")
        }
    }
}
