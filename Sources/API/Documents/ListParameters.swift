internal import APITypes
internal import Fleet
internal import Foundation
internal import Hummingbird
internal import Store

/// The query of a list or watch, checked.
struct ListParameters {
    var limit: Int
    var after: ListQuery.Position?
    var labels: [String: String]
    var fields: [String: String]
    var watch: Watch?

    enum Watch {
        case stream
        case longPoll(seconds: Double)
    }

    /// Version from which a watch starts.
    var since: String?

    private static let known = [
        "limit", "cursor", "labelSelector", "fieldSelector", "watch", "wait", "since",
    ]

    /// - Parameter fields: names that the field selector may use.
    init(_ request: Request, fields allowed: [String]) throws {
        let query = request.uri.queryParameters
        for (key, _) in query where !Self.known.contains(String(key)) {
            let nearest = NearestChoice.of(String(key), among: Self.known).map {
                "; did you mean \"\($0)\"?"
            }
            throw Problem(.unknownParameter, detail: "the parameter \"\(key)\" is not known\(nearest ?? "")")
        }
        limit = 100
        if let text = query["limit"] {
            guard let value = Int(text), (1...RequestLimit.page).contains(value) else {
                throw Problem(
                    .malformedRequest, detail: "limit is \"\(text)\"; it must be 1 to \(RequestLimit.page)")
            }
            limit = value
        }
        if let text = query["cursor"] { after = try Self.position(String(text)) }
        labels = try Self.selector(query["labelSelector"].map(String.init), "labelSelector")
        fields = try Self.selector(query["fieldSelector"].map(String.init), "fieldSelector")
        for name in fields.keys.sorted() where !allowed.contains(name) {
            throw Problem(
                .unknownParameter,
                detail: "fieldSelector knows \(allowed.joined(separator: ", ")), not \"\(name)\"")
        }
        since = query["since"].map(String.init)
        if let text = query["watch"] {
            guard text == "sse" else {
                throw Problem(.malformedRequest, detail: "watch is \"\(text)\"; it must be sse")
            }
            watch = .stream
        } else if let text = query["wait"] {
            let seconds = text.hasSuffix("s") ? text.dropLast() : text[...]
            guard let value = Double(seconds), value >= 0, value.isFinite else {
                throw Problem(.malformedRequest, detail: "wait is \"\(text)\"; it must be seconds such as 20")
            }
            watch = .longPoll(seconds: min(value, RequestLimit.waitSeconds))
        }
        if watch != nil, since == nil {
            throw Problem(
                .malformedRequest, detail: "a watch needs since, the resourceVersion of a list or an object")
        }
    }

    private static func selector(_ text: String?, _ name: String) throws -> [String: String] {
        guard let text, !text.isEmpty else { return [:] }
        var found: [String: String] = [:]
        for term in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = term.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, !sides[0].isEmpty else {
                throw Problem(
                    .malformedRequest, detail: "\(name) has the term \"\(term)\"; write key=value,key=value")
            }
            found[String(sides[0])] = String(sides[1].hasPrefix("=") ? sides[1].dropFirst() : sides[1])
        }
        return found
    }

    // MARK: Cursors

    static func cursor(_ metadata: Metadata) -> String {
        Data("\(metadata.project ?? "")/\(metadata.name)".utf8).base64EncodedString()
    }

    private static func position(_ cursor: String) throws -> ListQuery.Position {
        guard let data = Data(base64Encoded: cursor), let text = String(data: data, encoding: .utf8) else {
            throw Problem(.malformedRequest, detail: "the cursor is not one that a list answered")
        }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            throw Problem(.malformedRequest, detail: "the cursor is not one that a list answered")
        }
        return .init(project: String(parts[0]), name: String(parts[1]))
    }
}
