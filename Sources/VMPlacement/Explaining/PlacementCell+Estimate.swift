public import Fleet

/// Room that is expected for a request.
public struct ExpectedRoom: Sendable, Hashable {
    public var at: Timestamp
    /// The first host, in the order of ids, that has room then.
    public var host: String
    public var hostID: ID<Document>

    public init(at: Timestamp, host: String, hostID: ID<Document>) {
        self.at = at
        self.host = host
        self.hostID = hostID
    }
}

extension PlacementCell {
    /// The earliest time at which a host would take the request if allocations ended when they are expected
    /// to and nothing new came; nil when all these ends leave no host with room.
    ///
    /// Ends only ever make room, so that the earliest is found by halving: every allocation is removed at
    /// most once from each of two copies, and the hosts are looked at as often as the number of ends has
    /// bits.
    ///
    /// - Parameters:
    ///   - ends: expected ends; an allocation that is not among them stays. What should have ended by `now`
    ///     has outlived what was expected, and nobody knows when it ends: it stays as well.
    ///   - now: the answer is later. A request that has room now is none to be asked about; it is answered
    ///     the first end.
    public func expectedRoom(
        for request: VMRequest, ends: [ID<Allocation>: Timestamp], now: Timestamp
    ) -> ExpectedRoom? {
        let expected = ends.filter { $0.value > now && held[$0.key] != nil }
            .sorted { ($0.value, $0.key) < ($1.value, $1.key) }
        var steps: [(at: Timestamp, ending: ArraySlice<ID<Allocation>>)] = []
        let ids = expected.map(\.key)
        var first = 0
        for index in ids.indices {
            guard index + 1 == ids.count || expected[index + 1].value > expected[index].value else {
                continue
            }
            steps.append((expected[index].value, ids[first...index]))
            first = index + 1
        }
        // Steps before `low` are over in `before`, where nothing fits; after the steps up to `high` something
        // does.
        var before = self
        before.lifetimes = nil
        var low = 0
        var high = steps.count
        var found: Int?
        while low < high {
            let middle = (low + high) / 2
            var trial = before
            for step in steps[low...middle] { for id in step.ending { trial.remove(allocation: id) } }
            if let slot = trial.firstSlot(for: request) {
                found = slot
                high = middle
            } else {
                before = trial
                low = middle + 1
            }
        }
        guard low < steps.count, let found else { return nil }
        return ExpectedRoom(at: steps[low].at, host: hosts.rows[found].name, hostID: hosts.rows[found].id)
    }

    private func firstSlot(for request: VMRequest) -> Int? {
        let compiled = compile(request)
        return (0..<hosts.count).first { Constraint.first(refusing: compiled, on: hosts.rows[$0]) == nil }
    }
}
