public import Fleet

extension PlacementCell {
    /// Hosts that an explanation names beside the winner.
    static let runnersUp = 5

    /// Why the request would go where it would, or nowhere.
    ///
    /// Every host is counted once: as feasible, or under the first constraint that refuses it in the order of
    /// `Reason`.
    public func explain(_ request: VMRequest, policy: PlacementPolicy) -> PlacementExplanation {
        let compiled = compile(request)
        let score = chain(for: request, policy: policy).score
        let columns = ScoredColumns(hosts, guaranteed: compiled.isGuaranteed)
        var rejected = [Int](repeating: 0, count: Constraint.allCases.count)
        var feasible = 0
        var best = LowestKeys(limit: Self.runnersUp + 1)
        var nearest: NearestFix?
        for slot in 0..<hosts.count {
            let row = hosts.rows[slot]
            if let first = Constraint.first(refusing: compiled, on: row) {
                rejected[first.rawValue] += 1
                if feasible == 0 { nearest = NearestFix.nearer(nearest, of: compiled, row: row, slot: slot) }
            } else {
                feasible += 1
                best.insert(score.value(of: slot, for: compiled, in: columns), slot: slot)
            }
        }
        return PlacementExplanation(
            hosts: hosts.count, feasible: feasible,
            rejected: Constraint.allCases.filter { rejected[$0.rawValue] > 0 }.map {
                .init(reason: $0.reason, hosts: rejected[$0.rawValue])
            },
            candidates: best.entries.map { entry in
                .init(
                    host: hosts.rows[entry.slot].name,
                    key: score.words(entry.key) + ["order=\(entry.slot)"])
            },
            nearestFix: feasible > 0 ? nil : nearest.map { words($0, for: request, compiled) })
    }
}

/// The lowest keys seen, in order; few, so that insertion is a walk.
struct LowestKeys {
    struct Entry {
        var key: UInt64
        var slot: Int
    }

    let limit: Int
    private(set) var entries: [Entry] = []

    init(limit: Int) { self.limit = limit }

    /// Slots come in ascending order, so an equal key goes behind.
    mutating func insert(_ key: UInt64, slot: Int) {
        if entries.count == limit {
            guard let last = entries.last, key < last.key else { return }
            entries.removeLast()
        }
        let index = entries.firstIndex { key < $0.key } ?? entries.count
        entries.insert(Entry(key: key, slot: slot), at: index)
    }
}
