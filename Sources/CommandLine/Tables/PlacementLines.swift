internal import Fleet

/// Where a workload would go and why, for people.
struct PlacementLines {
    let explanation: PlacementExplanation

    var lines: [String] {
        var lines: [String] = []
        if let gang = explanation.gang {
            lines += [
                "  \(gang.fitted) of \(gang.members) members of \(gang.group) fit together",
                "  \(gang.member):",
            ]
        }
        lines += ["  \(explanation.feasible) of \(explanation.hosts) hosts fit"]
        for rejection in explanation.rejected {
            lines.append("  - \(rejection.hosts) refused: \(rejection.reason.rawValue)")
        }
        for (index, candidate) in explanation.candidates.enumerated() {
            let key = candidate.key.joined(separator: ", ")
            lines.append("  \(index + 1). \(candidate.host)\(key.isEmpty ? "" : " (\(key))")")
        }
        if let predictor = explanation.predictor {
            let name = predictor.model.map { " model \($0)" } ?? ""
            lines.append("  lifetimes by \(predictor.form.rawValue)\(name): \(predictor.message)")
        }
        if let fix = explanation.nearestFix { lines.append("  nearest fix: \(fix)") }
        return lines
    }
}
