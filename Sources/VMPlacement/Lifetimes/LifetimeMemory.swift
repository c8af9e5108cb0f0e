public import Fleet

/// What is remembered of a cell's lifetimes, beside its hosts.
public struct CellLifetimes: Sendable, Hashable, Codable {
    /// The fleet clock as it was then.
    public var now: Timestamp
    public var accuracy: ClassAccuracy
    /// Goes by the gate before as well, so that it does not follow from the accuracy alone.
    var gate: LifetimeGate
    /// What is held of the models of pools; nil where none goes by one.
    public internal(set) var trust: [String: ModelTrust]?
    /// Name of the ladder of its classes; nil is the paper's.
    var ladder: String?
}

/// What is written down of lifetimes, so that a controller goes on where another ended.
public struct LifetimeNotes: Sendable, Hashable {
    public var cell: CellLifetimes
    /// Hosts that are no longer as they were written down last.
    public var hosts: [ID<Document>: HostLifetime]
}

/// What was written down of lifetimes.
public struct LifetimeMemory: Sendable, Hashable {
    /// A host: the last note of it, and the VMs that plans put there since.
    public struct Host: Sendable, Hashable {
        /// Nil for a host of which nothing was written: it was empty.
        public var kept: HostLifetime?
        /// In the order in which they came.
        public var arrivals: [Arrival]

        public init(kept: HostLifetime?, arrivals: [Arrival]) {
            self.kept = kept
            self.arrivals = arrivals
        }
    }

    public struct Arrival: Sendable, Hashable, Codable {
        public var allocation: ID<Allocation>
        public var lifetime: PredictedLifetime

        public init(allocation: ID<Allocation>, lifetime: PredictedLifetime) {
            self.allocation = allocation
            self.lifetime = lifetime
        }
    }

    /// The end of a VM that was written down.
    public struct Departure: Sendable, Hashable {
        /// On the fleet clock.
        public var at: Timestamp
        /// False when it moved, which says nothing of its lifetime.
        public var hasEnded: Bool

        public init(at: Timestamp, hasEnded: Bool) {
            self.at = at
            self.hasEnded = hasEnded
        }
    }

    public var cell: CellLifetimes?
    public var hosts: [ID<Document>: Host]
    /// Of the VMs in `hosts` that are there no more; those that are missing moved.
    public var departures: [ID<Allocation>: Departure]

    public init(
        cell: CellLifetimes? = nil, hosts: [ID<Document>: Host] = [:],
        departures: [ID<Allocation>: Departure] = [:]
    ) {
        self.cell = cell
        self.hosts = hosts
        self.departures = departures
    }

    /// Every allocation that is named.
    public var allocations: Set<ID<Allocation>> {
        hosts.values.reduce(into: []) { found, host in
            found.formUnion(host.kept?.residents.map(\.allocation) ?? [])
            found.formUnion(host.arrivals.map(\.allocation))
        }
    }
}

extension PlacementCell {
    /// Goes on with predicting lifetimes where another left off: from its notes, the VMs placed since then,
    /// and those that ended since then. Hosts of which nothing was written are judged by their present exit.
    public mutating func trackLifetimes(
        _ settings: LifetimeSettings, model: any LifetimeModel, now: Timestamp, memory: LifetimeMemory
    ) {
        // Classes of another ladder say nothing here.
        let isOther = memory.cell.map { ($0.ladder ?? LifetimeLadder.paper.name) != settings.ladder.name }
        let memory = isOther == true ? LifetimeMemory() : memory
        // Time is moved by what is told, so that all happens when it happened.
        var table = LifetimeTable(
            settings: settings, predictor: LifetimePredictor(model, cap: settings.cap),
            now: memory.cell?.now.microseconds ?? 0, accuracy: memory.cell?.accuracy ?? .init(),
            gate: memory.cell?.gate ?? .closed, trust: memory.cell?.trust ?? [:])
        for slot in 0..<hosts.count {
            table.insert(at: slot)
            guard let host = memory.hosts[hosts.rows[slot].id] else { continue }
            if let kept = host.kept { table.recall(kept, at: slot) { held[$0]?.lifetime.features } }
            let known = Set(table.residents[slot].map(\.allocation))
            for vm in host.arrivals where !known.contains(vm.allocation) {
                let features = held[vm.allocation]?.lifetime.features ?? VMFeatures(resources: .zero)
                table.arrive(vm.allocation, vm.lifetime, features, at: slot)
            }
        }
        lifetimes = table
        catchUp(memory)
        lifetimes?.advance(to: now.microseconds)
        let residents = residentsBySlot()
        for slot in 0..<hosts.count where memory.hosts[hosts.rows[slot].id] == nil && !residents[slot].isEmpty
        {
            lifetimes?.rebuild(slot, with: residents[slot], room: hosts.rows[slot].room)
        }
    }

    /// What happened on the hosts since they were written down, in the order of time.
    private mutating func catchUp(_ memory: LifetimeMemory) {
        var events: [LifetimeEvent] = []
        let residents = residentsBySlot()
        let latest = Timestamp(microseconds: lifetimes?.now ?? 0)
        for slot in 0..<hosts.count where memory.hosts[hosts.rows[slot].id] != nil {
            let known = lifetimes?.residents[slot].map(\.allocation) ?? []
            for id in known where held[id]?.host != hosts.keys[slot] {
                let departure = memory.departures[id] ?? .init(at: latest, hasEnded: false)
                events.append(LifetimeEvent(at: departure.at, id: id, slot: slot, what: .gone(departure)))
            }
            let isKnown = Set(known)
            for (id, lifetime) in residents[slot] where !isKnown.contains(id) {
                events.append(
                    LifetimeEvent(at: lifetime.startedAt, id: id, slot: slot, what: .came(lifetime)))
            }
        }
        takePlace(events)
    }

    /// Tells what predictions of a VM that has a host are to go by, before lifetimes are tracked.
    public mutating func setLifetime(_ lifetime: VMLifetime, of allocation: ID<Allocation>) {
        held[allocation]?.lifetime = lifetime
    }

    /// Ends the tracking; policies that need lifetimes are best fit from then on.
    public mutating func forgetLifetimes() { lifetimes = nil }

    /// The classes that lifetimes are tracked by; nil where they are not tracked.
    public var lifetimeLadder: LifetimeLadder? { lifetimes?.settings.ladder }

    /// Whether lifetimes are tracked.
    public var tracksLifetimes: Bool { lifetimes != nil }

    /// What is to be written down before a plan holds; nil when nothing is. It counts as written from then
    /// on.
    ///
    /// - Parameters:
    ///   - trial: lifetimes as the plan was made on them.
    ///   - hosts: those on which the plan places.
    ///   - limit: of hosts of which nothing is written and on which nothing is placed, how many are written
    ///     as well: they can wait, so that the first notes of a large cell do not hold up its plans.
    public mutating func takeLifetimeNotes(
        at trial: LifetimeTrial, for hosts: Set<ID<Document>> = [], limit: Int
    ) -> LifetimeNotes? {
        guard let table = trial.table, table.notes.count == self.hosts.count else { return nil }
        var noted: [ID<Document>: HostLifetime] = [:]
        var more = limit
        for slot in table.notes.indices where table.notes[slot] != .written {
            let host = self.hosts.rows[slot].id
            if table.notes[slot] == .unwritten, !hosts.contains(host) {
                guard more > 0 else { continue }
                more -= 1
            }
            noted[host] = table.kept(slot)
            lifetimes?.noteWritten(slot)
        }
        guard !noted.isEmpty else { return nil }
        return LifetimeNotes(
            cell: CellLifetimes(
                now: Timestamp(microseconds: table.now), accuracy: table.accuracy, gate: table.gate,
                trust: table.trust.isEmpty ? nil : table.trust,
                ladder: table.settings.ladder == .paper ? nil : table.settings.ladder.name),
            hosts: noted)
    }

    /// Marks a host as one to be written down: a VM came there by no plan.
    public mutating func noteLifetimeMoved(of host: ID<Document>) {
        if let slot = hosts.slot(of: HostKey(host)) { lifetimes?.noteMoved(slot) }
    }

    /// Lifetimes as they are, to which hosts of refused groups are taken back.
    public var lifetimeTrial: LifetimeTrial { LifetimeTrial(table: lifetimes) }

    /// Takes hosts back to what they were before a plan, and to those of its VMs that were accepted: what
    /// another makes of what was committed.
    ///
    /// - Parameter accepted: the plan's VMs on the hosts that were not refused, in its order.
    public mutating func takeBackLifetimes(
        of refused: Set<ID<Document>>, to trial: LifetimeTrial, accepted: [LifetimeMemory.Arrival]
    ) {
        guard let before = trial.table, let now = lifetimes, before.exits.count == now.exits.count else {
            return
        }
        for host in refused.sorted() {
            if let slot = hosts.slot(of: HostKey(host)) { lifetimes?.copy(slot, from: before) }
        }
        for vm in accepted {
            guard let taken = held[vm.allocation], let slot = hosts.slot(of: taken.host),
                refused.contains(hosts.rows[slot].id)
            else { continue }
            lifetimes?.arrive(vm.allocation, vm.lifetime, taken.lifetime.features, at: slot)
        }
    }

    func residentsBySlot() -> [[(ID<Allocation>, VMLifetime)]] {
        var residents = [[(ID<Allocation>, VMLifetime)]](repeating: [], count: hosts.count)
        // In the order of ids, so that the order of the dictionary does not show.
        for (id, taken) in held.sorted(by: { $0.key < $1.key }) {
            if let slot = hosts.slot(of: taken.host) { residents[slot].append((id, taken.lifetime)) }
        }
        return residents
    }
}

/// Lifetimes of a cell before a plan.
public struct LifetimeTrial: Sendable {
    let table: LifetimeTable?
}
