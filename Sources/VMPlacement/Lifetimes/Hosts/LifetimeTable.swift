import Fleet

/// Lifetimes of a cell's VMs and hosts, as parallel arrays in the order of `HostTable`.
///
/// Expected exits are kept until a VM comes or goes or the exit has passed, and only then predicted anew.
/// Times are microseconds.
struct LifetimeTable: Sendable {
    /// An exit that has to be predicted anew.
    static let unknown = Int64.min
    /// The exit and the deadline of an empty host: nothing to look at again.
    static let never = Int64.max

    let settings: LifetimeSettings
    private(set) var predictor: LifetimePredictor
    private(set) var now: Int64
    /// Expected end of the last VM as predicted when last looked at.
    private(set) var exits: [Int64] = []
    /// The same by the predictions made when the VMs started; `unknown` for an empty host.
    private(set) var firstExits: [Int64] = []
    private(set) var states: [HostLifetime.State] = []
    /// Raw values of `LifetimeClass`; 0 for an empty host.
    private(set) var classes: [UInt8] = []
    private(set) var deadlines: [Int64] = []
    private var residualCounts: [Int32] = []
    private(set) var residents: [[Resident]] = []
    /// How much of each host its VMs keep for the time of a VM of a class, by class from the first; see
    /// `HostStay`. Empty for a ladder that does not follow exits.
    private(set) var stays: [[Int64]] = []
    /// Whether what is written down of hosts is what is here.
    private(set) var notes: [NoteState] = []

    enum NoteState: UInt8, Sendable {
        /// It is, with the arrivals since.
        case written
        /// Nothing is written; whoever takes over judges the host as it was judged here.
        case unwritten
        /// It no longer is.
        case moved
    }
    /// Questions asked of the model.
    private(set) var predictions = 0
    private(set) var accuracy: ClassAccuracy
    private(set) var gate: LifetimeGate
    /// What is held of models, by the pool that goes by them.
    private(set) var trust: [String: ModelTrust]

    init(
        settings: LifetimeSettings, predictor: LifetimePredictor, now: Int64,
        accuracy: ClassAccuracy = .init(), gate: LifetimeGate = .closed, trust: [String: ModelTrust] = [:]
    ) {
        self.trust = trust
        self.accuracy = accuracy
        self.gate = gate.next(accuracy)
        self.settings = settings
        self.predictor = predictor
        self.now = now
        if settings.ladder.followsExits { stays = LifetimeClass.allCases.map { _ in [] } }
    }

    /// Time never goes back.
    mutating func advance(to time: Int64) { now = max(now, time) }

    mutating func insert(at slot: Int) {
        exits.insert(Self.never, at: slot)
        firstExits.insert(Self.unknown, at: slot)
        states.insert(.empty, at: slot)
        classes.insert(0, at: slot)
        deadlines.insert(Self.never, at: slot)
        residualCounts.insert(0, at: slot)
        residents.insert([], at: slot)
        notes.insert(.written, at: slot)
        for index in stays.indices { stays[index].insert(0, at: slot) }
    }

    mutating func remove(at slot: Int) {
        exits.remove(at: slot)
        firstExits.remove(at: slot)
        states.remove(at: slot)
        classes.remove(at: slot)
        deadlines.remove(at: slot)
        residualCounts.remove(at: slot)
        residents.remove(at: slot)
        notes.remove(at: slot)
        for index in stays.indices { stays[index].remove(at: slot) }
    }

    /// Pools that go by models from now on, each with what is held of its own.
    mutating func setTrust(_ trust: [String: ModelTrust]) { self.trust = trust }

    /// Another model, from now on.
    mutating func use(_ predictor: LifetimePredictor) {
        self.predictor = predictor
        for slot in exits.indices where !residents[slot].isEmpty { exits[slot] = Self.unknown }
    }
}

// MARK: Predictions

extension LifetimeTable {
    /// Expected remaining lifetime, microseconds.
    private func remaining(uptime: Int64, of features: VMFeatures) -> Int64 {
        Int64((predictor.remaining(uptime: Double(uptime) / 1e6, of: features) * 1e6).rounded())
    }

    /// What a VM that comes now is to be compared with hosts by.
    func arrival(of features: VMFeatures, startedAt: Int64?) -> Arrival {
        let left = remaining(uptime: startedAt.map { now - $0 } ?? 0, of: features)
        return Arrival(exit: now + left, class: lifetimeClass(left), now: now)
    }

    /// A VM that asks for a host.
    struct Arrival: Sendable {
        /// Expected end, microseconds.
        let exit: Int64
        let `class`: LifetimeClass
        let now: Int64
    }

    /// Predicts the exits that are not known or have passed, of hosts that could take something.
    mutating func refreshStale(_ hosts: HostTable) {
        for slot in exits.indices where exits[slot] < now && hosts.hasRoom(slot) {
            refresh(slot, hosts.rows[slot].room)
        }
    }

    private mutating func refresh(_ slot: Int, _ room: HostRoom) {
        var exit = now
        var stay = stays.isEmpty ? nil : HostStay(room, settings)
        for resident in residents[slot] {
            let left = remaining(uptime: now - resident.startedAt, of: resident.features)
            exit = max(exit, now + left)
            stay?.add(resident.features.resources, left: left)
        }
        predictions += residents[slot].count
        exits[slot] = exit
        if let stay { for index in stays.indices { stays[index][slot] = stay.values[index] } }
    }

    private func lifetimeClass(_ microseconds: Int64) -> LifetimeClass {
        settings.ladder.lifetimeClass(seconds: Double(microseconds) / 1e6)
    }

    /// Class of what is left of a host in use, predicted now.
    private mutating func classOfExit(_ slot: Int) -> LifetimeClass {
        var left: Int64 = 0
        for resident in residents[slot] {
            left = max(left, remaining(uptime: now - resident.startedAt, of: resident.features))
        }
        predictions += residents[slot].count
        return lifetimeClass(left)
    }
}

// MARK: Hosts

extension LifetimeTable {
    private mutating func setClass(_ slot: Int, _ value: LifetimeClass, at time: Int64) {
        classes[slot] = UInt8(value.rawValue)
        deadlines[slot] = time + settings.deadline(of: value)
    }

    private func lifetimeClass(of slot: Int) -> LifetimeClass? { LifetimeClass(rawValue: Int(classes[slot])) }

    private mutating func makeAllResidual(_ slot: Int) {
        for index in residents[slot].indices { residents[slot][index].isResidual = true }
        residualCounts[slot] = Int32(residents[slot].count)
    }

    /// A resident as predicted now.
    private mutating func resident(_ id: ID<Allocation>, _ lifetime: VMLifetime) -> Resident {
        let started = lifetime.startedAt.microseconds
        let first = remaining(uptime: 0, of: lifetime.features)
        predictions += 1
        // A VM that moved in counts by what is left of it.
        let left = now > started ? remaining(uptime: now - started, of: lifetime.features) : first
        return Resident(
            allocation: id, features: lifetime.features, startedAt: started, firstExit: started + first,
            firstClass: lifetimeClass(left))
    }

    /// A VM came.
    ///
    /// - Parameter room: of the host, with it.
    /// - Returns: all that the host has of it.
    mutating func add(
        _ id: ID<Allocation>, _ lifetime: VMLifetime, at slot: Int, room: HostRoom
    ) -> PredictedLifetime {
        let resident = resident(id, lifetime)
        let predicted = PredictedLifetime(
            at: Timestamp(microseconds: now), startedAt: lifetime.startedAt,
            exit: Timestamp(microseconds: resident.firstExit),
            lifetimeClass: resident.firstClass.rawValue, fillsHost: isNearlyFull(room))
        arrive(id, predicted, lifetime.features, at: slot)
        return predicted
    }

    /// A VM came of which everything is predicted: the host is afterwards what it was for whoever predicted.
    mutating func arrive(
        _ id: ID<Allocation>, _ predicted: PredictedLifetime, _ features: VMFeatures, at slot: Int
    ) {
        let resident = Resident(
            allocation: id, features: features, startedAt: predicted.startedAt.microseconds,
            firstExit: predicted.exit.microseconds,
            firstClass: LifetimeClass(rawValue: predicted.lifetimeClass) ?? .weeks)
        residents[slot].append(resident)
        firstExits[slot] = max(firstExits[slot], resident.firstExit)
        exits[slot] = Self.unknown
        if states[slot] == .empty {
            states[slot] = .open
            setClass(slot, resident.firstClass, at: predicted.at.microseconds)
        }
        if predicted.fillsHost { startRecycling(slot) }
    }

    mutating func noteMoved(_ slot: Int) { notes[slot] = .moved }
    mutating func noteWritten(_ slot: Int) { notes[slot] = .written }

    private func isNearlyFull(_ room: HostRoom) -> Bool {
        let theta = settings.nearlyFullPerMille
        return room.consumedMilliCPU * 1000 >= theta * room.usableMilliCPU
            || room.usedMemoryMiB * 1000 >= theta * room.usableMemoryMiB
    }

    private mutating func startRecycling(_ slot: Int) {
        guard states[slot] == .open else { return }
        states[slot] = .recycling
        makeAllResidual(slot)
    }

    /// A VM went.
    ///
    /// - Parameters:
    ///   - time: when; it may be known late, and says what follows all the same.
    ///   - hasEnded: false when it only moved away, which says nothing of its lifetime.
    mutating func remove(_ id: ID<Allocation>, at slot: Int, time: Int64, hasEnded: Bool) {
        guard let index = residents[slot].firstIndex(where: { $0.allocation == id }) else { return }
        let gone = residents[slot][index]
        notes[slot] = .moved
        residents[slot].swapAt(index, residents[slot].count - 1)
        residents[slot].removeLast()
        if hasEnded {
            let lived = lifetimeClass(time - gone.startedAt)
            accuracy.add(isRight: lived == gone.firstClass, at: time)
            gate = gate.next(accuracy)
            // Where its owner said how long it lives, no model was asked.
            if gone.features.hintSeconds == nil {
                trust[gone.features.pool]?.judge(
                    isRight: lived == gone.firstClass, startedAt: gone.startedAt, at: time)
            }
        }
        guard !residents[slot].isEmpty else {
            clear(slot)
            return
        }
        exits[slot] = Self.unknown
        if gone.firstExit == firstExits[slot] {
            firstExits[slot] = residents[slot].reduce(Self.unknown) { max($0, $1.firstExit) }
        }
        if gone.isResidual { residualCounts[slot] -= 1 }
        if states[slot] == .recycling, residualCounts[slot] == 0 { demote(slot, at: time) }
    }

    private mutating func clear(_ slot: Int) {
        exits[slot] = Self.never
        firstExits[slot] = Self.unknown
        states[slot] = .empty
        classes[slot] = 0
        deadlines[slot] = Self.never
        residualCounts[slot] = 0
    }

    /// The VMs that the class was made for are gone: those in the gaps are shorter, and now make the class.
    private mutating func demote(_ slot: Int, at time: Int64) {
        makeAllResidual(slot)
        if let current = lifetimeClass(of: slot) {
            let least = settings.ladder.followsExits ? classOfExit(slot) : .minutes
            setClass(slot, max(current.shorter, least), at: time)
        }
        notes[slot] = .moved
    }

    /// A VM outlived the class: the host may as well take longer ones.
    mutating func promoteOverdue() {
        for slot in deadlines.indices where deadlines[slot] < now {
            if let current = lifetimeClass(of: slot) {
                let ladder = settings.ladder
                let next =
                    ladder.followsExits ? max(current, classOfExit(slot)) : ladder.longer(than: current)
                setClass(slot, next, at: now)
            }
            notes[slot] = .moved
        }
    }
}

// MARK: Restart

extension LifetimeTable {
    /// A host whose past is not known: its class is that of its present exit, and all its VMs count for it.
    mutating func rebuild(_ slot: Int, with lifetimes: [(ID<Allocation>, VMLifetime)], room: HostRoom) {
        clear(slot)
        notes[slot] = .unwritten
        residents[slot] = lifetimes.map { resident($0.0, $0.1) }
        guard !residents[slot].isEmpty else { return }
        firstExits[slot] = residents[slot].reduce(Self.unknown) { max($0, $1.firstExit) }
        refresh(slot, room)
        states[slot] = .open
        setClass(slot, lifetimeClass(exits[slot] - now), at: now)
        if isNearlyFull(room) { startRecycling(slot) }
    }

    /// What was remembered of a host that holds VMs; nothing changes on an empty one.
    mutating func restore(_ kept: HostLifetime, at slot: Int) {
        guard !residents[slot].isEmpty, let lifetimeClass = kept.class, let deadline = kept.deadline else {
            return
        }
        states[slot] = kept.state == .empty ? .open : kept.state
        classes[slot] = UInt8(lifetimeClass.rawValue)
        deadlines[slot] = deadline.microseconds
        exits[slot] = remembered(kept.exit)
        let residuals = Set(kept.residuals)
        var count: Int32 = 0
        for index in residents[slot].indices {
            let isResidual = residuals.contains(residents[slot][index].allocation)
            residents[slot][index].isResidual = isResidual
            count += isResidual ? 1 : 0
        }
        residualCounts[slot] = count
        // All of them may have gone while nobody looked.
        if states[slot] == .recycling, count == 0 { demote(slot, at: now) }
    }

    /// Stays are not remembered, and predicted with the exit.
    private func remembered(_ exit: Timestamp?) -> Int64 {
        stays.isEmpty ? exit?.microseconds ?? Self.unknown : Self.unknown
    }

    /// A host as it was remembered, with the VMs that were on it then.
    ///
    /// - Parameter features: of those that are on it still.
    mutating func recall(
        _ kept: HostLifetime, at slot: Int, features: (ID<Allocation>) -> VMFeatures?
    ) {
        clear(slot)
        guard let lifetimeClass = kept.class, let deadline = kept.deadline, !kept.residents.isEmpty else {
            residents[slot] = []
            return
        }
        let residuals = Set(kept.residuals)
        residents[slot] = kept.residents.map { vm in
            Resident(
                allocation: vm.allocation, features: features(vm.allocation) ?? VMFeatures(resources: .zero),
                startedAt: vm.startedAt.microseconds, firstExit: vm.exit.microseconds,
                firstClass: vm.lifetimeClass, isResidual: residuals.contains(vm.allocation))
        }
        firstExits[slot] = residents[slot].reduce(Self.unknown) { max($0, $1.firstExit) }
        residualCounts[slot] = Int32(residents[slot].count(where: \.isResidual))
        states[slot] = kept.state == .empty ? .open : kept.state
        classes[slot] = UInt8(lifetimeClass.rawValue)
        deadlines[slot] = deadline.microseconds
        exits[slot] = remembered(kept.exit)
    }

    /// Takes a host back to what it is in another table of the same hosts.
    mutating func copy(_ slot: Int, from other: LifetimeTable) { copy(slot, from: other, at: slot) }

    private mutating func copy(_ slot: Int, from other: LifetimeTable, at place: Int) {
        exits[slot] = other.exits[place]
        firstExits[slot] = other.firstExits[place]
        states[slot] = other.states[place]
        classes[slot] = other.classes[place]
        deadlines[slot] = other.deadlines[place]
        residualCounts[slot] = other.residualCounts[place]
        residents[slot] = other.residents[place]
        notes[slot] = other.notes[place]
        for index in stays.indices { stays[index][slot] = other.stays[index][place] }
    }

    /// The same lifetimes in the order of another table of hosts; hosts that are new there are empty.
    func rearranged(from before: HostTable, to after: HostTable) -> LifetimeTable {
        var found = LifetimeTable(
            settings: settings, predictor: predictor, now: now, accuracy: accuracy, gate: gate)
        for slot in 0..<after.count {
            found.insert(at: slot)
            if let place = before.slot(of: after.keys[slot]) { found.copy(slot, from: self, at: place) }
        }
        return found
    }

    /// What is to be remembered of a host.
    func kept(_ slot: Int) -> HostLifetime {
        guard let lifetimeClass = lifetimeClass(of: slot) else { return HostLifetime() }
        return HostLifetime(
            state: states[slot], class: lifetimeClass, deadline: Timestamp(microseconds: deadlines[slot]),
            exit: exits[slot] == Self.unknown ? nil : Timestamp(microseconds: exits[slot]),
            residuals: residents[slot].filter(\.isResidual).map(\.allocation).sorted(),
            residents: residents[slot].sorted { $0.allocation < $1.allocation }.map {
                .init(
                    allocation: $0.allocation, startedAt: Timestamp(microseconds: $0.startedAt),
                    exit: Timestamp(microseconds: $0.firstExit), lifetimeClass: $0.firstClass)
            })
    }
}
