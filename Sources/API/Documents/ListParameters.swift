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
        /// Ends after the time when there is one.
        case stream(seconds: Double?)
        case longPoll(seconds: Double)
    }

    /// Version from which a watch starts.
    var since: String?

    /// - Parameters:
    ///   - fields: names that the field selector may use.
    ///   - takesCursor: false leaves the cursor, which has a form of its own, to the caller.
    init(_ request: Request, fields allowed: [String], takesCursor: Bool = true) throws {
        let query = request.uri.queryParameters
        limit = 100
        if let text = query["limit"] {
            guard let value = Int(text), (1...RequestLimit.page).contains(value) else {
                throw Problem(
                    .malformedRequest,
                    detail: "limit is \"\(text.prefix(80))\"; it must be 1 to \(RequestLimit.page)")
            }
            limit = value
        }
        if takesCursor, let text = query["cursor"] { after = try Self.position(String(text)) }
        labels = try Self.selector(query["labelSelector"].map(String.init), "labelSelector")
        fields = try Self.selector(query["fieldSelector"].map(String.init), "fieldSelector")
        for name in fields.keys.sorted() where !allowed.contains(name) {
            let nearest = NearestChoice.of(String(name.prefix(80)), among: allowed).map {
                "; did you mean \"\($0)\"?"
            }
            throw Problem(
                .unknownParameter,
                detail: "fieldSelector knows \(allowed.joined(separator: ", ")), not \"\(name.prefix(80))\""
                    + (nearest ?? ""))
        }
        since = query["since"].map(String.init)
        let seconds = try query["wait"].map(Self.seconds)
        if let text = query["watch"] {
            guard text == "sse" else {
                throw Problem(.malformedRequest, detail: "watch is \"\(text.prefix(80))\"; it must be sse")
            }
            watch = .stream(seconds: seconds)
        } else if let seconds {
            watch = .longPoll(seconds: min(seconds, RequestLimit.waitSeconds))
        } else if since != nil {
            watch = .longPoll(seconds: 0)
        }
        if watch != nil, since == nil {
            throw Problem(
                .invalid, detail: "a watch starts from a version",
                causes: [
                    FieldDefect(
                        field: "since", code: .required,
                        message: "give the resourceVersion of a list or an object")
                ])
        }
    }

    /// `20`, `0.5` or `20s`.
    static func seconds(_ text: Substring) throws -> Double {
        let number = text.hasSuffix("s") ? text.dropLast() : text
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        let isPlain = parts.allSatisfy { part in
            (1...6).contains(part.utf8.count) && part.utf8.allSatisfy { (48...57).contains($0) }
        }
        guard isPlain, parts.count <= 2, let seconds = Double(number) else {
            throw Problem(
                .malformedRequest,
                detail: "wait is \"\(text.prefix(80))\"; it must be seconds such as 20 or 0.5")
        }
        return seconds
    }

    private static func selector(_ text: String?, _ name: String) throws -> [String: String] {
        guard let text, !text.isEmpty else { return [:] }
        var found: [String: String] = [:]
        for term in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = term.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, !sides[0].isEmpty else {
                throw Problem(
                    .malformedRequest,
                    detail: "\(name) has the term \"\(term.prefix(80))\"; write key=value,key=value")
            }
            guard term.utf8.allSatisfy({ $0 >= 32 && $0 != 127 }) else {
                throw Problem(.malformedRequest, detail: "\(name) holds a control character")
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
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init)
        guard parts.count == 2, parts[0].isEmpty || Name.defect(in: parts[0]) == nil,
            Name.defect(in: parts[1]) == nil
        else {
            throw Problem(.malformedRequest, detail: "the cursor is not one that a list answered")
        }
        return .init(project: parts[0], name: parts[1])
    }
}
