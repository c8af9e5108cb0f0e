internal import APITypes
internal import FaultLab
internal import Fleet
internal import Foundation

/// A body of a request: JSON with known keys only.
struct RequestBody {
    private let values: [String: ActionValue]

    /// - Throws: `Problem`: no JSON object, or a key that is not known.
    init(_ data: Data, keys: Set<String>) throws(Problem) {
        guard let found = try? JSONDecoder().decode([String: ActionValue].self, from: data) else {
            throw Problem(.malformedRequest, detail: "The body is no JSON object.")
        }
        let unknown = found.keys.filter { !keys.contains($0) }.sorted()
        guard unknown.isEmpty else {
            throw Problem(
                .invalid, detail: "The body has keys that are not known.",
                causes: unknown.map { key in
                    let nearest = NearestChoice.of(key, among: keys.sorted()).map { "; the nearest is \($0)" }
                    return FieldDefect(
                        field: key, code: .unknownField, message: "is not known\(nearest ?? "")")
                })
        }
        values = found.filter { $0.value != .null }
    }

    func value(_ key: String) -> ActionValue? { values[key] }

    func text(_ key: String) throws(Problem) -> String? {
        guard let value = values[key] else { return nil }
        guard case .text(let text) = value else { throw Self.defect(key, .invalid, "is a text") }
        return text
    }

    func required(_ key: String) throws(Problem) -> String {
        guard let text = try text(key), !text.isEmpty else { throw Self.defect(key, .required, "is missing") }
        return text
    }

    func flag(_ key: String) throws(Problem) -> Bool? {
        guard let value = values[key] else { return nil }
        guard case .bool(let flag) = value else { throw Self.defect(key, .invalid, "is true or false") }
        return flag
    }

    func integer(_ key: String, _ range: ClosedRange<Int>) throws(Problem) -> Int? {
        guard let value = values[key] else { return nil }
        guard case .integer(let number) = value, range.contains(number) else {
            throw Self.defect(
                key, .outOfRange, "is a whole number, \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func texts(_ key: String) throws(Problem) -> [String]? {
        guard let value = values[key] else { return nil }
        guard case .list = value, let texts = value.asTexts else {
            throw Self.defect(key, .invalid, "is a list of texts")
        }
        return texts
    }

    static func defect(_ field: String, _ code: FieldDefect.Code, _ message: String) -> Problem {
        Problem(
            .invalid, detail: "\(field) \(message).",
            causes: [FieldDefect(field: field, code: code, message: message)])
    }
}

/// A wish for a session, read from a body.
struct SessionRequest {
    static let keys: Set<String> = [
        "problem", "suite", "seed", "noop", "agent", "stages", "compat", "steps", "seconds",
        "observationBytes",
    ]
    private static let longestName = 64

    var choice: SessionOrder.Choice
    var seed: UInt64
    var isNoop: Bool?
    var agent: String
    var stages: [Stage]
    var mode: ActionTextParser.Mode
    var limits: EvaluationSession.Limits

    /// - Parameter pool: what there is to choose from.
    init(_ data: Data, pool: ProblemPool) throws(Problem) {
        let body = try RequestBody(data, keys: Self.keys)
        choice = try Self.choice(body, pool)
        seed = UInt64(try body.integer("seed", 0...Int.max) ?? 1)
        isNoop = try body.flag("noop")
        agent = try Self.agent(body)
        stages = try Self.stages(body)
        mode = try Self.word(body, "compat") ?? .lenient
        let standard = EvaluationSession.Limits()
        limits = EvaluationSession.Limits(
            steps: try body.integer("steps", 1...1000) ?? standard.steps,
            seconds: try body.integer("seconds", 60...86_400) ?? standard.seconds,
            observationBytes: try body.integer("observationBytes", 256...(1 << 20))
                ?? standard.observationBytes)
    }

    private static func choice(
        _ body: RequestBody, _ pool: ProblemPool
    ) throws(Problem) -> SessionOrder.Choice {
        let suite: Suite? = try word(body, "suite")
        guard let problem = try body.text("problem") else { return .suite(suite ?? .lite) }
        guard suite == nil else {
            throw RequestBody.defect("suite", .conflict, "is given beside a problem; give one of the two")
        }
        do throws(ProblemRefusal) {
            return .template(try pool.template(problem).id)
        } catch {
            throw RequestBody.defect("problem", .notFound, error.message)
        }
    }

    static func agent(_ body: RequestBody) throws(Problem) -> String {
        let agent = try body.text("agent") ?? "agent"
        guard (1...longestName).contains(agent.utf8.count),
            agent.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ",") })
        else {
            throw RequestBody.defect(
                "agent", .invalid, "has 1 to \(longestName) printable characters of ASCII, no comma or space")
        }
        return agent
    }

    private static func stages(_ body: RequestBody) throws(Problem) -> [Stage] {
        guard let words = try body.texts("stages") else { return Stage.allCases }
        var stages: [Stage] = []
        for word in words { stages.append(try stage(word, "stages")) }
        guard !stages.isEmpty else { throw RequestBody.defect("stages", .required, "names no stage") }
        return Stage.allCases.filter(stages.contains)
    }

    /// AIOpsLab's names are taken as well.
    static func stage(_ word: String, _ field: String) throws(Problem) -> Stage {
        let others = ["localization": Stage.localisation, "rca": .analysis]
        guard let stage = Stage(rawValue: word) ?? others[word] else {
            throw RequestBody.defect(
                field, .unknownValue, "is one of \(Stage.offered.joined(separator: ", "))")
        }
        return stage
    }

    private static func word<Word: RawRepresentable<String> & CaseIterable>(
        _ body: RequestBody, _ key: String
    ) throws(Problem) -> Word? {
        guard let text = try body.text(key) else { return nil }
        guard let word = Word(rawValue: text) else {
            let offered = Word.allCases.map(\.rawValue).joined(separator: ", ")
            throw RequestBody.defect(key, .unknownValue, "is one of \(offered)")
        }
        return word
    }

    /// What the program of the session is told.
    func order(folder: String) -> SessionOrder {
        SessionOrder(
            choice: choice, seed: seed, isNoop: isNoop, agent: agent, stages: stages, mode: mode,
            limits: limits, folder: folder)
    }
}
