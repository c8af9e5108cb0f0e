internal import Fleet
internal import Foundation

/// The problems that come with the product.
public struct ProblemPool: Sendable, Hashable, Codable {
    /// What agents are told of a fleet, by key.
    public var contexts: [String: String]
    public var problems: [ProblemTemplate]

    /// Read anew at each call.
    ///
    /// - Throws: `ProblemRefusal` of code `catalogue`, when the product was built with a damaged file.
    public static func seed() throws(ProblemRefusal) -> ProblemPool {
        do {
            return try JSONDecoder().decode(
                ProblemPool.self, from: Data(PackageResources.problems_json))
        } catch {
            throw ProblemRefusal(.catalogue, "", "The catalogue of problems cannot be read: \(error)")
        }
    }

    /// In the order of the catalogue.
    public func problems(of suite: Suite) -> [ProblemTemplate] {
        suite == .full ? problems : problems.filter { $0.suites.contains(suite) }
    }

    /// - Throws: `ProblemRefusal` of code `unknown`, which names the nearest.
    public func template(_ id: String) throws(ProblemRefusal) -> ProblemTemplate {
        if let found = problems.first(where: { $0.id.lowercased() == id.lowercased() }) { return found }
        let nearest = NearestChoice.of(id, among: problems.map(\.id))
        let hint = nearest.map { "; the nearest is \($0)" } ?? ""
        throw ProblemRefusal(.unknown, id, "There is no problem \"\(id.prefix(40))\"\(hint).")
    }

    /// Each problem of a suite with its paired no-op, and what is refused with its reason.
    public func drawn(
        _ suite: Suite, seeds: [UInt64], on surface: ProblemSurface
    ) -> (problems: [Problem], refused: [ProblemRefusal]) {
        drawn(problems(of: suite), seeds: seeds, on: surface)
    }

    /// As above, of some templates of the pool.
    public func drawn(
        _ templates: [ProblemTemplate], seeds: [UInt64], on surface: ProblemSurface
    ) -> (problems: [Problem], refused: [ProblemRefusal]) {
        var drawn: [Problem] = []
        var refused: [ProblemRefusal] = []
        for template in templates {
            for seed in seeds {
                do throws(ProblemRefusal) {
                    drawn.append(try template.draw(seed: seed, on: surface, contexts: contexts))
                    guard !template.isNoop else { continue }
                    drawn.append(
                        try template.draw(
                            seed: seed, on: surface, contexts: contexts, withoutFaults: true))
                } catch {
                    refused.append(error)
                    break
                }
            }
        }
        return (drawn, refused)
    }
}

extension ProblemTemplate {
    /// What anyone may know of a problem before it is over: it says nothing of what is wrong.
    public struct Card: Sendable, Hashable, Codable {
        public var id: String
        public var layer: String
        public var kind: Character
        public var suites: [Suite]
        /// Why it cannot be played; nil when it can.
        public var refused: String?
    }

    /// - Parameter surface: nil of a fleet that is not known: only what can never be injected is refused.
    public func card(on surface: ProblemSurface?) -> Card {
        let refusal =
            surface.map { self.refusal(on: $0)?.message } ?? lacks.map { "\(id) needs \($0)." }
        return Card(
            id: id, layer: layer, kind: kind, suites: suites + [.full], refused: refusal)
    }
}
