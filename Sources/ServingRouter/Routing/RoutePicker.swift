internal import Fleet

/// Chooses a pair of replicas for each request: smooth weighted round-robin (as in nginx) over the pairs
/// whose replicas are well and have room. A value: who holds it guards it.
struct RoutePicker {
    /// One request on its way to a pair.
    struct Choice: Equatable {
        var prefill: ServingRoutes.Replica
        /// The replica that is called.
        var decode: ServingRoutes.Replica
        /// Version of the routes that it was chosen by.
        var version: Int

        var isSplit: Bool { prefill.name != decode.name }
    }

    enum Refusal: Error, Equatable {
        /// There are no routes, or none of them leads anywhere.
        case noRoute
        /// Every replica has as many requests as it takes at once.
        case busy
    }

    /// How a request ended, for the replica that was called.
    enum Outcome: Equatable {
        case served
        /// The replica refused a connection, or broke one off.
        case failed
        /// The replica that reads prompts is the one that failed.
        case prefillFailed
        /// It says nothing of the replica: the client went away.
        case unknown
    }

    private struct Known {
        var health = ReplicaHealth()
        var underWay = 0
    }

    private struct Candidate {
        var prefill: ServingRoutes.Replica
        var decode: ServingRoutes.Replica
        var weight: Double
        /// The part of the round that it waited for.
        var credit = 0.0
    }

    private(set) var routes: ServingRoutes?
    private var candidates: [Candidate] = []
    /// Whether somebody looks at replicas.
    private var isWatched = false
    /// By replica; those that left stay until their last request has ended.
    private var known: [ServingRoutes.Replica.ID: Known] = [:]

    /// Follows other routes from the next choice on. Requests under way go on where they are.
    ///
    /// - Parameter routes: without defects.
    mutating func adopt(_ routes: ServingRoutes) {
        let replicas = Dictionary(
            routes.replicas.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let credits = Dictionary(
            candidates.map { ([$0.prefill.id, $0.decode.id], $0.credit) },
            uniquingKeysWith: { first, _ in first })
        candidates = routes.pairs.compactMap { pair in
            guard let prefill = replicas[pair.prefill], let decode = replicas[pair.decode] else { return nil }
            // What a pair waited for it keeps, so that frequent versions do not favour the first.
            return Candidate(
                prefill: prefill, decode: decode, weight: pair.weight,
                credit: credits[[prefill.id, decode.id]] ?? 0)
        }
        self.routes = routes
        let present = Set(routes.replicas.map(\.id))
        known = known.filter { present.contains($0.key) || $0.value.underWay > 0 }
    }

    /// Chooses a pair and counts the request as under way; `end` must follow.
    ///
    /// - Parameters:
    ///   - failed: pairs that failed this request; pairs without their replicas come first, and they
    ///     themselves never come again.
    mutating func choose(
        avoiding failed: [Choice] = [], at now: Duration
    ) throws(Refusal) -> Choice {
        let tried = Set(failed.map { [$0.prefill.id, $0.decode.id] })
        let open = candidates.indices.filter {
            !tried.contains([candidates[$0].prefill.id, candidates[$0].decode.id])
        }
        guard let version = routes?.version, !open.isEmpty else { throw .noRoute }
        let free = open.filter { hasRoom(candidates[$0].decode) }
        guard !free.isEmpty else { throw .busy }
        let touched = Set(failed.flatMap { [$0.prefill.id, $0.decode.id] })
        // Better a replica that failed a moment ago than none.
        let ranks = free.map { index in
            let candidate = candidates[index]
            let isTouched = !touched.isDisjoint(with: [candidate.prefill.id, candidate.decode.id])
            // Who came last is asked first whether it is ready.
            return (isWell(candidate, at: now) ? isKnown(candidate) ? 0 : 2 : 4) + (isTouched ? 1 : 0)
        }
        let best = ranks.min()
        guard let index = turn(among: zip(free, ranks).filter { $0.1 == best }.map(\.0)) else {
            throw .noRoute
        }
        let choice = Choice(
            prefill: candidates[index].prefill, decode: candidates[index].decode, version: version)
        count(choice, by: 1)
        return choice
    }

    /// The candidate whose turn it is; nil among none.
    private mutating func turn(among indices: [Int]) -> Int? {
        var best: Int?
        var total = 0.0
        for index in indices {
            total += candidates[index].weight
            candidates[index].credit += candidates[index].weight
            if best.map({ candidates[index].credit > candidates[$0].credit }) ?? true { best = index }
        }
        if let best { candidates[best].credit -= total }
        return best
    }

    private func hasRoom(_ replica: ServingRoutes.Replica) -> Bool {
        guard let slots = replica.slots else { return true }
        return (known[replica.id]?.underWay ?? 0) < slots
    }

    private func isWell(_ candidate: Candidate, at now: Duration) -> Bool {
        [candidate.prefill, candidate.decode].allSatisfy { known[$0.id]?.health.rests(at: now) != true }
    }

    /// Whether a look found it ready; where nobody looks, all are.
    private func isKnown(_ candidate: Candidate) -> Bool {
        !isWatched
            || [candidate.prefill, candidate.decode].allSatisfy { known[$0.id]?.health.isReady == true }
    }

    /// Takes what a look at a replica found.
    ///
    /// - Returns: whether that is news; of one that left the routes it is none.
    mutating func note(_ replica: ServingRoutes.Replica, isReady: Bool) -> Bool {
        guard routes?.replicas.contains(where: { $0.id == replica.id }) == true else { return false }
        isWatched = true
        return known[replica.id, default: Known()].health.found(isReady: isReady)
    }

    /// Ends one request of `choose`.
    mutating func end(_ choice: Choice, _ outcome: Outcome, at now: Duration) {
        switch outcome {
        case .served:
            known[choice.decode.id]?.health.succeeded()
            known[choice.prefill.id]?.health.succeeded()
        case .failed: known[choice.decode.id]?.health.failed(at: now)
        case .prefillFailed: known[choice.prefill.id]?.health.failed(at: now)
        case .unknown: break
        }
        count(choice, by: -1)
    }

    private mutating func count(_ choice: Choice, by difference: Int) {
        for id in Set([choice.prefill.id, choice.decode.id]) {
            known[id, default: Known()].underWay += difference
            let isLeft = routes?.replicas.contains { $0.id == id } != true
            if isLeft, known[id]?.underWay == 0 { known[id] = nil }
        }
    }

    // MARK: Showing

    /// Requests by replica, of those that have any.
    var underWay: [String: Int] {
        known.filter { $0.value.underWay > 0 }.reduce(into: [:]) {
            $0[$1.key.name, default: 0] += $1.value.underWay
        }
    }

    /// One replica, as `/routes` shows it.
    struct ReplicaState: Codable, Equatable {
        var name: String
        var address: String
        var role: ServingRoutes.Role?
        /// Requests that it is part of.
        var underWay: Int
        var isResting: Bool
        /// Whether it left the routes and ends what it has.
        var isDraining: Bool
    }

    func states(at now: Duration) -> [ReplicaState] {
        let present = Dictionary(
            (routes?.replicas ?? []).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        return Set(present.keys).union(known.keys).sorted().map { id in
            ReplicaState(
                name: id.name, address: id.address, role: present[id]?.role,
                underWay: known[id]?.underWay ?? 0, isResting: known[id]?.health.rests(at: now) ?? false,
                isDraining: present[id] == nil)
        }
    }
}

extension ServingRoutes.Replica {
    /// A replica that moved is another one.
    struct ID: Hashable, Comparable {
        var name: String
        var address: String

        static func < (left: ID, right: ID) -> Bool {
            (left.name, left.address) < (right.name, right.address)
        }
    }

    var id: ID { ID(name: name, address: address) }
}
