import Fleet

/// Chooses hosts of a pool that are emptied so that more of its hosts are whole.
///
/// A candidate's VMs all fit on hosts in use now: emptying one host by opening another frees nothing. The
/// best frees the most host-hours for a move that is expected to be needed.
public enum DefragmentationPlanner {
    public struct Candidate: Sendable, Hashable {
        public var host: DrainingHost
        public var decision: DrainDecision
        /// Hours for which the host would be in use if it were left alone, per move that is expected.
        public var benefit: Double
    }

    /// What a host is worth where lifetimes are not tracked, hours: the longest prediction.
    static let usualHours = 168.0

    /// - Parameters:
    ///   - hosts: those in use that may be emptied; the others of the cell may be targets.
    ///   - limit: hosts that are chosen at most.
    ///   - wanted: empty hosts of the pool at which there are enough.
    ///   - looked: hosts that are looked at, those with the least CPU in use first.
    /// - Returns: the hosts chosen, best first, and the cell as it would be afterwards.
    public static func choose(
        from hosts: [DrainingHost], on cell: PlacementCell, terms: DrainPlanner.Terms, limit: Int,
        wanted: Int, empty: Int, looked: Int
    ) -> (chosen: [Candidate], after: PlacementCell) {
        var left = hosts.filter { !$0.vms.isEmpty && $0.vms.count == $0.left }.sorted {
            (used($0, cell), $0.id) < (used($1, cell), $1.id)
        }
        left = Array(left.prefix(looked))
        var chosen: [Candidate] = []
        var after = cell
        while chosen.count < limit, empty + chosen.count < wanted {
            let candidates = left.compactMap { candidate($0, on: after, terms: terms) }
            // Of equals the one with the least in use, which is the first.
            guard let best = candidates.min(by: { $1.0.benefit < $0.0.benefit }) else { break }
            chosen.append(best.0)
            after = best.1
            // Where its VMs go nothing is emptied next: they would move twice.
            let touched = Set(best.0.decision.moves.map(\.target.host)).union([best.0.host.id])
            left.removeAll { touched.contains($0.id) }
        }
        return (chosen, after)
    }

    private static func used(_ host: DrainingHost, _ cell: PlacementCell) -> Int {
        cell.room(of: host.id)?.consumedMilliCPU ?? 0
    }

    private static func candidate(
        _ host: DrainingHost, on cell: PlacementCell, terms: DrainPlanner.Terms
    ) -> (Candidate, PlacementCell)? {
        var planner = DrainPlanner()
        var terms = terms
        terms.explained = 0
        let (decisions, after) = planner.plan([host], on: cell, terms: terms)
        guard let decision = decisions.first, decision.moves.count == host.vms.count,
            decision.moves.allSatisfy({ !cell.isEmpty($0.target.host) })
        else { return nil }
        let expected = max(1, decision.moves.count { !$0.endsFirst })
        let hours = decision.moves.compactMap(\.remaining).max().map { $0 / 3600 } ?? usualHours
        return (
            Candidate(host: host, decision: decision, benefit: hours / Double(expected)), after
        )
    }
}
