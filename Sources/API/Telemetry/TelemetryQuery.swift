internal import APITypes
internal import FaultLab
internal import Fleet
internal import Hummingbird

/// What somebody asks of telemetry.
struct TelemetryQuery {
    enum Form: String, CaseIterable { case summary, otlp }

    enum Limit {
        static let items = 1000
        static let standard = 200
    }

    /// Parameters that all signals take.
    static let common = ["component", "form", "limit", "since", "until"]

    var component: String?
    var contains: String?
    var level: String?
    var name: String?
    var onlyErrors = false
    var since: Timestamp?
    var until: Timestamp?
    var limit = Limit.standard
    var form = Form.summary

    init(_ request: Request) throws {
        let query = request.uri.queryParameters
        func text(_ key: Substring) -> String? { query[key].map(String.init) }
        (component, contains, name) = (text("component"), text("contains"), text("name"))
        var defects: [FieldDefect] = []
        func refuse(_ field: String, _ message: String) {
            defects.append(FieldDefect(field: field, code: .invalid, message: message))
        }
        func time(_ field: Substring) -> Timestamp? {
            guard let given = text(field) else { return nil }
            guard let time = Timestamp(given) else {
                refuse(
                    String(field), "\"\(given.prefix(80))\" is no time; write it such as 2026-06-01T08:00:00Z"
                )
                return nil
            }
            return time
        }
        (since, until) = (time("since"), time("until"))
        if let given = text("limit") {
            if let number = Int(given), (1...Limit.items).contains(number) {
                limit = number
            } else {
                refuse("limit", "\"\(given.prefix(80))\" is outside 1 to \(Limit.items)")
            }
        }
        if let given = text("level") {
            if Self.levels.contains(given) {
                level = given
            } else {
                refuse("level", Self.refusal(given, Self.levels))
            }
        }
        if let given = text("errors") {
            if let flag = ["true": true, "false": false][given] {
                onlyErrors = flag
            } else {
                refuse("errors", "\"\(given.prefix(80))\" is neither true nor false")
            }
        }
        if let given = text("form") {
            if let word = Form(rawValue: given) {
                form = word
            } else {
                let forms = Form.allCases.map(\.rawValue)
                refuse("form", Self.refusal(given, forms))
            }
        }
        if !defects.isEmpty { throw Problem(.invalid, detail: "the query is not valid", causes: defects) }
    }

    static func refusal(_ given: String, _ choices: [String]) -> String {
        let nearest = NearestChoice.of(given, among: choices).map { "the nearest is \"\($0)\"" }
        return "\"\(given.prefix(80))\" is not known; "
            + (nearest ?? "choose one of \(choices.joined(separator: ", "))")
    }

    /// From the least grave on.
    private static let levels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]

    func holds(_ time: Timestamp, _ part: String) -> Bool {
        if let since, time < since { return false }
        if let until, time > until { return false }
        return component.map { $0 == part } ?? true
    }

    func isGrave(_ line: String) -> Bool {
        guard let level, let least = Self.levels.firstIndex(of: level),
            let found = Self.levels.firstIndex(of: line)
        else { return true }
        return found >= least
    }
}
