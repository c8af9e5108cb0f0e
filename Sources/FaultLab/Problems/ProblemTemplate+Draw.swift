internal import Fleet

extension ProblemTemplate {
    /// Seconds after the warm-up within which faults begin.
    private static let latestStart = 60
    /// Longer than any session and its grading.
    static let lease = Duration.seconds(24 * 3600)

    /// Why this cannot be put to an agent on a fleet; nil when it can.
    public func refusal(on surface: ProblemSurface) -> ProblemRefusal? {
        if let lacks {
            return ProblemRefusal(.notInjectable, id, "\(id) cannot be injected: it needs \(lacks).")
        }
        let missing = faults.map(\.kind).filter { !surface.kinds.contains($0) }
        if let kind = missing.first {
            return ProblemRefusal(
                .notInjectable, id, "\(id) cannot be injected here: there is no injector of \(kind.rawValue)."
            )
        }
        if let decoy, !surface.decoys.contains(decoy) {
            return ProblemRefusal(.notInjectable, id, "\(id) cannot be played here: \(decoy.rawValue).")
        }
        for fault in faults where surface.choices[fault.target]?.isEmpty != false {
            return ProblemRefusal(
                .noTarget, id, "\(id) has no target: the fleet has no \(fault.target.rawValue).")
        }
        return nil
    }

    /// Chooses targets and moments; the same for the same arguments.
    ///
    /// - Parameter withoutFaults: the paired problem in which nothing is wrong; it draws as the other does.
    /// - Throws: `ProblemRefusal`.
    public func draw(
        seed: UInt64, on surface: ProblemSurface, contexts: [String: String], withoutFaults: Bool = false
    ) throws(ProblemRefusal) -> Problem {
        if let refusal = refusal(on: surface) { throw refusal }
        guard let context = contexts[context] else {
            throw ProblemRefusal(.catalogue, id, "\(id) has an unknown context \"\(self.context)\".")
        }
        // Problems of one seed are not all on the first host.
        var random = FaultRandom(seed: seed ^ TextHash.of(id))
        let bindings = bindings(on: surface, &random)
        let start = Duration.seconds(random.below(Self.latestStart))
        let alias = String(random.next(), radix: 36)
        let isNoop = withoutFaults || self.isNoop
        return Problem(
            template: id, seed: seed, isNoop: isNoop, alias: alias, title: title, context: context,
            faults: isNoop ? [] : try faults(bindings, start: start), decoy: decoy, bindings: bindings,
            truth: isNoop ? .nothing : try truth(bindings), oracle: isNoop ? [] : try calls(bindings),
            accept: isNoop ? [.everythingRuns] : accept,
            rejects: RejectRule.always + (isNoop ? RejectRule.whereNothingIsWrong : rejects),
            sustainSeconds: sustainSeconds)
    }

    private func bindings(on surface: ProblemSurface, _ random: inout FaultRandom) -> [String: String] {
        var bindings = surface.constants
        let wanted = faults.map(\.target) + (binds ?? []).compactMap(FaultTarget.Component.init)
        for component in wanted where bindings[component.rawValue] == nil {
            let choice = random.pick(surface.choices[component] ?? []) ?? [:]
            bindings.merge(choice) { first, _ in first }
        }
        return bindings
    }

    private func faults(
        _ bindings: [String: String], start: Duration
    ) throws(ProblemRefusal) -> [Fault] {
        var drawn: [Fault] = []
        for (number, draft) in faults.enumerated() {
            guard let name = bindings[draft.target.rawValue] else {
                throw ProblemRefusal(.noTarget, id, "\(id) has no \(draft.target.rawValue).")
            }
            drawn.append(
                Fault(
                    id: number, kind: draft.kind, target: FaultTarget(draft.target, name),
                    parameters: draft.parameters ?? FaultParameters(), start: start, lease: Self.lease))
        }
        return drawn
    }

    private func truth(_ bindings: [String: String]) throws(ProblemRefusal) -> Truth {
        var components: [ComponentName] = []
        for text in truth.components { components.append(ComponentName(try filled(text, bindings))) }
        // A fleet without a name for something does not need its other names.
        let also = truth.also.compactMap { try? filled($0, bindings) }.map(ComponentName.init)
        return Truth(
            components: components, also: also, systemLevels: truth.systemLevels,
            faultTypes: truth.faultTypes, mechanism: truth.mechanism)
    }

    private func calls(_ bindings: [String: String]) throws(ProblemRefusal) -> [ActionCall] {
        var calls: [ActionCall] = []
        for text in oracle {
            let call = try filled(text, bindings)
            do throws(ActionTextFailure) {
                calls.append(try ActionTextParser(.lenient).parse(call))
            } catch {
                throw ProblemRefusal(.catalogue, id, "\(id): \(call): \(error.message)")
            }
        }
        return calls
    }

    /// Puts names in the place of words in braces; other braces stay.
    private func filled(_ text: String, _ bindings: [String: String]) throws(ProblemRefusal) -> String {
        var filled = ""
        var rest = text[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            let word = String(rest[rest.index(after: open)..<close])
            filled += rest[..<open]
            if word.isEmpty || !word.allSatisfy(\.isLetter) {
                filled += rest[open...close]
            } else if let name = bindings[word] {
                filled += name
            } else {
                throw ProblemRefusal(.noTarget, id, "\(id) needs a name for {\(word)}.")
            }
            rest = rest[rest.index(after: close)...]
        }
        return filled + rest
    }
}
