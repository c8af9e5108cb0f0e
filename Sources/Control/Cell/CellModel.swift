internal import Fleet
internal import HeapModule
internal import Store
internal import VMPlacement

/// What a pipeline knows of its cell: a value that is fed with rows and asked for work.
///
/// Rows may arrive in any order and repeatedly; each replaces what was known under its key.
struct CellModel {
    let name: String
    var placement: PlacementCell
    var hosts: [ID<Document>: HostRecord] = [:]
    var vms: [ID<Document>: VMRecord] = [:]
    /// Workloads whose engines name their parts.
    var parted: [ID<Document>: any PartedWorkload] = [:]
    var allocations: [ID<Allocation>: Allocation] = [:]
    /// Unreleased allocations by workload.
    private(set) var byWorkload: [ID<Document>: Set<ID<Allocation>>] = [:]
    private(set) var byHost: [ID<Document>: Set<ID<Allocation>>] = [:]
    var pools: [String: PoolSpec] = [:]
    var flavors: [String: FlavorSpec] = [:]
    var policies: [String: PolicyRecord] = [:]
    /// Pools as they were read, to write their statuses.
    var poolRecords: [String: PoolRecord] = [:]
    /// By name.
    var models: [String: ModelRecord] = [:]
    /// Files of models that pools go by.
    var modelFiles: [ID<Document>: ReadModel] = [:]
    /// What is learned of VMs as they end.
    var learned = LearnedModels()
    /// What predicts lifetimes in the pools that need it.
    var predictors: [String: PredictorInUse] = [:]
    /// The lease clock until lifetimes are tracked.
    var clock = FleetClock()
    var history = LifetimeHistory()
    /// What happened since a copy was taken on which lifetimes are made ready; nil when none is.
    var lifetimeJournal: LifetimeJournal?
    /// Sizes of the VMs that came to hosts lately, by pool.
    private(set) var arrivals: [String: ArrivalMix] = [:]
    /// Of the controller, as of this cycle: what has to wait goes by it. Its wall clock may be set, and is not
    /// the store's.
    var uptime = Duration.zero
    /// VMs that wait for a host.
    private(set) var pending: Set<ID<Document>> = []
    /// Groups whose members are placed together, as far as they are known.
    var gangs: [ID<Document>: VMGroupRecord] = [:]
    /// VMs of such groups by ordinal.
    var gangMembers: [ID<Document>: [Int: ID<Document>]] = [:]
    /// Workloads that are to be deleted.
    private(set) var deleting: Set<ID<Document>> = []
    /// VMs that the ledger refused.
    private var refused: Set<ID<Document>> = []
    /// Workloads whose status, finalizers or allocations may need work.
    var dirty: Set<ID<Document>> = []
    /// Workloads whose status names an allocation that the ledger lost; they are not placed until an agent
    /// reports it.
    private var lost: Set<ID<Document>> = []
    /// Reservations of migrations that are under way.
    private(set) var standbys: Set<ID<Allocation>> = []
    /// VMs that a drain leaves where they are, with why.
    var stayers: [ID<Document>: DrainPreview.Blocked] = [:]
    /// Failure domains whose fencing the breaker holds.
    private(set) var heldZones: Set<String> = []
    /// Moves whenever a host may take what it could not before.
    private(set) var capacityVersion = 0
    /// Moves whenever a workload is read or gone.
    private(set) var workloadVersion = 0

    init(name: String) {
        self.name = name
        placement = PlacementCell(name: name)
    }

    // MARK: Rows

    mutating func put(host: HostRecord) {
        let before = hosts[host.id]
        hosts[host.id] = host
        if before.map({ Self.placementView($0) != Self.placementView(host) }) ?? true {
            placement.upsert(host: snapshot(host))
            capacityVersion += 1
        }
        if before?.contact != host.contact {
            for id in byHost[host.id] ?? [] {
                if let allocation = allocations[id] { dirty.insert(allocation.workload.uid) }
            }
        }
    }

    /// Host as it is for placement; what is used follows from the allocations.
    private static func placementView(_ host: HostRecord) -> HostRecord {
        var view = host
        view.assignment = 0
        view.takenDevices = []
        view.session = nil
        view.room.guaranteedMilliCPU = 0
        view.room.sharedMilliCPU = 0
        view.room.sparedMilliCPU = 0
        view.room.usedMemoryMiB = 0
        return view
    }

    mutating func drop(host id: ID<Document>) {
        guard hosts.removeValue(forKey: id) != nil else { return }
        placement.remove(host: id)
    }

    mutating func put(allocation: Allocation) {
        let known = allocations[allocation.id]
        dirty.insert(allocation.workload.uid)
        if allocation.isStandby, allocation.state.consumesCapacity {
            standbys.insert(allocation.id)
        } else {
            standbys.remove(allocation.id)
        }
        if allocation.state.consumesCapacity {
            allocations[allocation.id] = allocation
            if known == nil { take(allocation) }
            if placement.foresee(allocation) { capacityVersion += 1 }
            byWorkload[allocation.workload.uid, default: []].insert(allocation.id)
            byHost[allocation.host, default: []].insert(allocation.id)
            forgetRefusal(allocation.workload.uid)
        } else {
            drop(allocation: allocation.id, released: allocation)
            backOff(allocation)
            parted[allocation.workload.uid]?.ended(allocation, wasAsked: known?.state == .releasing)
        }
        queue(allocation.workload.uid)
    }

    /// Has no effect on what a plan of this process has placed.
    private mutating func take(_ allocation: Allocation) {
        let time = clock.time(at: allocation.createdAt)
        let predicted = placement.add(allocation, lifetime: lifetime(of: allocation), at: time)
        if predicted != nil { placement.noteLifetimeMoved(of: allocation.host) }
        lifetimeJournal?.came.insert(allocation.id)
        if allocation.workload.kind == .vm, let pool = hosts[allocation.host]?.pool {
            arrivals[pool, default: ArrivalMix()].note(allocation.resources, at: time)
        }
    }

    /// Takes back an allocation that is released or that the ledger refused.
    private mutating func drop(allocation id: ID<Allocation>, released: Allocation) {
        guard let known = allocations.removeValue(forKey: id) else { return }
        lifetimeJournal?.gone.append(released)
        placement.remove(
            allocation: id, endedAt: end(of: released), movedAt: released.releasedAt.map(clock.time))
        capacityVersion += 1
        byWorkload[known.workload.uid]?.remove(id)
        byHost[known.host]?.remove(id)
        if byWorkload[known.workload.uid]?.isEmpty == true { byWorkload[known.workload.uid] = nil }
        retryRefused(project: known.workload.project)
        queue(known.workload.uid)
    }

    mutating func put(vm: VMRecord) {
        var next = vm
        if let known = vms[vm.metadata.uid] {
            next.notBefore = known.notBefore
            next.refusal = known.refusal
            next.refusals = known.refusals
            if known.metadata.generation == vm.metadata.generation {
                next.blockedAt = known.blockedAt
                next.explanation = known.explanation
            }
        }
        vms[vm.metadata.uid] = next
        if let gang = vm.gang, let ordinal = vm.spec.group?.ordinal {
            gangMembers[gang, default: [:]][ordinal] = vm.metadata.uid
        }
        if vm.metadata.deletionTimestamp != nil { deleting.insert(vm.metadata.uid) }
        dirty.insert(vm.metadata.uid)
        queue(vm.metadata.uid)
    }

    mutating func drop(vm uid: ID<Document>) {
        if let vm = vms.removeValue(forKey: uid) { dropMember(vm) }
        forget(uid)
    }

    /// A workload was read.
    mutating func touched(_ uid: ID<Document>, isDeleting: Bool) {
        workloadVersion += 1
        if isDeleting { deleting.insert(uid) }
        if byWorkload[uid] != nil { lost.remove(uid) }
        dirty.insert(uid)
    }

    /// A workload is gone.
    mutating func forget(_ uid: ID<Document>) {
        lost.remove(uid)
        refused.remove(uid)
        pending.remove(uid)
        deleting.remove(uid)
        dirty.remove(uid)
    }

    mutating func put(pool name: String, _ spec: PoolSpec?) {
        guard pools[name] != spec else { return }
        let admitted = pools[name]?.admits.contains(.vm)
        pools[name] = spec
        // Of all that a pool says, hosts are told only whether they take VMs.
        if admitted != spec?.admits.contains(.vm) {
            for host in hosts.values where host.pool == name { placement.upsert(host: snapshot(host)) }
        }
        capacityVersion += 1
    }

    mutating func put(flavor name: String, _ spec: FlavorSpec?) {
        flavors[name] = spec
        capacityVersion += 1
    }

    mutating func lose(_ uid: ID<Document>) {
        lost.insert(uid)
        pending.remove(uid)
    }

    /// A deleted workload is lost to nobody.
    func isLost(_ uid: ID<Document>) -> Bool { lost.contains(uid) && !deleting.contains(uid) }

    mutating func hold(zones: Set<String>) {
        let moved = heldZones.symmetricDifference(zones)
        heldZones = zones
        for host in hosts.values where host.contact != .ready && moved.contains(host.domain.zone) {
            for allocation in allocations(on: host.id) { dirty.insert(allocation.workload.uid) }
        }
    }

    private mutating func queue(_ uid: ID<Document>) {
        if byWorkload[uid] != nil { lost.remove(uid) }
        guard !lost.contains(uid) else { return }
        guard let vm = vms[uid], vm.metadata.deletionTimestamp == nil, byWorkload[uid] == nil else {
            pending.remove(uid)
            return
        }
        pending.insert(uid)
    }

    /// A VM whose part ended unasked waits longer each time, so that a crash loop does not fill the ledger.
    private mutating func backOff(_ allocation: Allocation) {
        guard var vm = vms[allocation.workload.uid], allocation.releasedAt != nil,
            vm.status.allocation == allocation.id, vm.status.state != .stopping
        else { return }
        let step = min(vm.status.restarts, Self.backOffSteps)
        vm.notBefore = uptime + .seconds(1 << step) - .seconds(1)
        vms[allocation.workload.uid] = vm
    }

    /// 2⁸ − 1 s, about four minutes, is the longest wait.
    static let backOffSteps = 8

    // MARK: Questions

    func snapshot(_ host: HostRecord) -> HostSnapshot {
        HostSnapshot(
            id: host.id, name: host.name, generation: host.generation, pool: host.pool,
            poolAdmitsVMs: pools[host.pool]?.admits.contains(.vm) ?? false, contact: host.contact,
            isSchedulable: !host.cordoned && !host.draining && !host.frozen
                && host.substrate != Self.observedSubstrate,
            capacity: host.room.total, reserved: host.room.reserved,
            cpuRatioPerMille: host.room.cpuRatioPerMille,
            maxUtilizationPerMille: host.room.maxUtilizationPerMille, labels: host.labels,
            domain: host.domain, devices: host.devices)
    }

    /// Substrate of machines whose agent only looks: nothing can be started there.
    static let observedSubstrate = "observe"

    /// The unreleased allocation that writes for a workload of one part.
    func writer(of uid: ID<Document>) -> Allocation? {
        writers(of: uid).min { $0.id < $1.id }
    }

    /// The reservation that a part's writer is handed over to.
    func standby(for source: Allocation) -> Allocation? {
        guard let migration = source.departure else { return nil }
        return (byWorkload[source.workload.uid] ?? []).compactMap { allocations[$0] }.first {
            $0.isStandby && $0.arrival?.migration == migration
        }
    }

    func allocations(on host: ID<Document>) -> [Allocation] {
        (byHost[host] ?? []).compactMap { allocations[$0] }.sorted { $0.id < $1.id }
    }

    /// Requests that may be tried now: `limit` of them, and what more the last gang has. The planner puts
    /// them in order.
    ///
    /// A queue may be far longer than a plan, so that only those that go into it are made into requests. Half
    /// are new and the oldest of these; half did not fit before and were tried least recently, so that
    /// neither line stops behind VMs that fit nowhere.
    func requests(limit: Int) -> [VMRequest] {
        var (fresh, tried): ([QueuedVM], [QueuedVM]) = ([], [])
        var met: Set<ID<Document>> = []
        for uid in pending {
            guard let vm = vms[uid] else { continue }
            let next: QueuedVM
            if let gang = vm.gang {
                guard met.insert(gang).inserted else { continue }
                let members = readyMembers(of: gang)
                guard let whole = QueuedVM(gang: members, of: members.compactMap { vms[$0] }) else {
                    continue
                }
                next = whole
            } else if vm.blockedAt != capacityVersion, vm.notBefore.map({ $0 <= uptime }) ?? true {
                next = QueuedVM(vm)
            } else {
                continue
            }
            if next.triedAt == nil { fresh.append(next) } else { tried.append(next) }
        }
        var lines = [Heap(tried), Heap(fresh)]
        var found: [VMRequest] = []
        while found.count < limit, lines.contains(where: { !$0.isEmpty }) {
            for line in lines.indices where found.count < limit {
                guard let next = lines[line].popMin() else { continue }
                if let gang = next.gang {
                    found += gangRequests(gang)
                } else if let request = vms[next.uid]?.request(flavors: flavors, clock: clock) {
                    found.append(request)
                }
            }
        }
        return found
    }

    /// Earliest time at which a VM that backs off may be tried.
    func nextTry() -> Duration? {
        pending.compactMap { vms[$0]?.notBefore }.filter { $0 > uptime }.min()
    }

    /// Notes that the ledger refused a VM for a reason that only it can see.
    ///
    /// The wait doubles, as nothing here tells when the reason has gone; a release in the project ends it.
    mutating func refuse(_ uid: ID<Document>, _ reason: Reason) {
        guard var vm = vms[uid] else { return }
        vm.notBefore = uptime + .seconds(1 << min(vm.refusals, Self.refusalSteps))
        vm.refusal = reason
        vm.refusals += 1
        vms[uid] = vm
        refused.insert(uid)
        dirty.insert(uid)
    }

    /// 2⁴ s is the longest wait: a raised quota or a release in another cell takes effect within it.
    static let refusalSteps = 4

    /// Tries the project's refused VMs again at once.
    mutating func retryRefused(project: String) {
        for uid in refused where vms[uid]?.metadata.project == project {
            vms[uid]?.notBefore = nil
            vms[uid]?.refusals = 0
        }
    }

    private mutating func forgetRefusal(_ uid: ID<Document>) {
        guard refused.remove(uid) != nil else { return }
        vms[uid]?.refusal = nil
        vms[uid]?.refusals = 0
    }

    /// Lets a VM be tried again at once, though neither a host nor the ledger has more room.
    mutating func retry(_ uid: ID<Document>) {
        vms[uid]?.blockedAt = nil
        guard refused.contains(uid) else { return }
        vms[uid]?.notBefore = nil
        vms[uid]?.refusals = 0
    }

    mutating func block(_ uid: ID<Document>, _ explanation: PlacementExplanation) {
        forgetRefusal(uid)
        vms[uid]?.blockedAt = capacityVersion
        vms[uid]?.explanation = explanation
        dirty.insert(uid)
    }

    /// Place of a pending VM in the queue, 1 is next; a member of a gang has that of its earliest.
    func queuePosition(of uid: ID<Document>) -> Int? {
        guard pending.contains(uid), let vm = vms[uid] else { return nil }
        let gang = vm.gang.flatMap { gangMembers[$0]?.values.filter(pending.contains) } ?? [uid]
        let mine = gang.compactMap { vms[$0].map { ($0.metadata.createdAt, $0.metadata.uid) } }.min(by: <)
        guard let mine else { return nil }
        return 1 + pending.count { vms[$0].map { ($0.metadata.createdAt, $0.metadata.uid) < mine } ?? false }
    }
}

/// A VM or a whole gang that waits; least recently tried first, then the oldest.
private struct QueuedVM: Comparable {
    /// Version of the cell's capacity with which it was tried last; nil when it never was.
    var triedAt: Int?
    var at: Timestamp
    var uid: ID<Document>
    /// The waiting members; nil for a VM that stands alone.
    var gang: [ID<Document>]?

    init(_ vm: VMRecord) { (triedAt, at, uid) = (vm.blockedAt, vm.metadata.createdAt, vm.metadata.uid) }

    /// - Returns: nil without members. It stands where its earliest member does.
    init?(gang: [ID<Document>], of members: [VMRecord]) {
        guard let first = members.map(QueuedVM.init).min(by: { ($0.at, $0.uid) < ($1.at, $1.uid) }) else {
            return nil
        }
        self = first
        self.gang = gang
        triedAt = members.contains { $0.blockedAt == nil } ? nil : members.compactMap(\.blockedAt).min()
    }

    private var key: (Int, Timestamp, ID<Document>) { (triedAt ?? .min, at, uid) }

    static func == (lhs: QueuedVM, rhs: QueuedVM) -> Bool { lhs.key == rhs.key }
    static func < (lhs: QueuedVM, rhs: QueuedVM) -> Bool { lhs.key < rhs.key }
}
