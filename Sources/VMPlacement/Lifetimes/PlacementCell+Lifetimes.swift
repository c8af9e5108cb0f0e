public import Fleet

extension PlacementCell {
    /// Starts predicting lifetimes, from what is on the hosts now.
    ///
    /// - Parameters:
    ///   - now: start of the cell's time.
    ///   - kept: what was remembered of hosts; the others are judged by their present exit.
    ///   - accuracy: what was remembered of `classAccuracy`.
    public mutating func trackLifetimes(
        _ settings: LifetimeSettings, model: any LifetimeModel, now: Timestamp,
        kept: [ID<Document>: HostLifetime] = [:], accuracy: ClassAccuracy = .init()
    ) {
        let predictor = LifetimePredictor(model, cap: settings.cap)
        var table = LifetimeTable(
            settings: settings, predictor: predictor, now: now.microseconds,
            accuracy: accuracy)
        for slot in 0..<hosts.count { table.insert(at: slot) }
        lifetimes = table
        let residents = residentsBySlot()
        for slot in 0..<hosts.count {
            lifetimes?.rebuild(slot, with: residents[slot], room: hosts.rows[slot].room)
            if let kept = kept[hosts.rows[slot].id] { lifetimes?.restore(kept, at: slot) }
        }
    }

    /// Goes on with another model; exits are predicted anew.
    public mutating func useLifetimeModel(_ model: any LifetimeModel) {
        guard let settings = lifetimes?.settings else { return }
        lifetimes?.use(LifetimePredictor(model, cap: settings.cap))
    }

    /// What is held of models, by the pool that goes by them.
    public var modelTrust: [String: ModelTrust] { lifetimes?.trust ?? [:] }

    /// Pools that go by models from now on, each with what is held of its own.
    public mutating func setModelTrust(_ trust: [String: ModelTrust]) { lifetimes?.setTrust(trust) }

    /// Lets time pass: predicts exits that are not known or have passed, and raises the class of hosts past
    /// their deadline. Does nothing where lifetimes are not tracked. Full hosts are left until they have
    /// room.
    ///
    /// - Parameter repredicting: false for policies that go by the first predictions.
    public mutating func advance(to now: Timestamp, repredicting: Bool = true) {
        guard lifetimes != nil else { return }
        lifetimes?.advance(to: now.microseconds)
        lifetimes?.promoteOverdue()
        if repredicting { lifetimes?.refreshStale(hosts) }
    }

    /// What is to be remembered of a host across a restart; nil where lifetimes are not tracked.
    public func lifetime(of host: ID<Document>) -> HostLifetime? {
        hosts.slot(of: HostKey(host)).flatMap { lifetimes?.kept($0) }
    }

    /// The VMs on a host as predictions see them, by id; none where lifetimes are not tracked.
    public func lifetimes(on host: ID<Document>) -> [(id: ID<Allocation>, lifetime: VMLifetime)] {
        guard let slot = hosts.slot(of: HostKey(host)), let residents = lifetimes?.residents[slot] else {
            return []
        }
        return residents.sorted { $0.allocation < $1.allocation }.map {
            let started = Timestamp(microseconds: $0.startedAt)
            return ($0.allocation, VMLifetime(features: $0.features, startedAt: started))
        }
    }

    /// The lifetime that is predicted for a VM that starts now, seconds; nil where lifetimes are not tracked.
    public func predictedLifetime(of request: VMRequest) -> Double? {
        lifetimes?.predictor.remaining(uptime: 0, of: VMFeatures(request))
    }

    /// Questions asked of the model so far.
    public var lifetimePredictions: Int { lifetimes?.predictions ?? 0 }

    /// How often predicted classes were right lately.
    public var classAccuracy: ClassAccuracy? { lifetimes?.accuracy }

    mutating func rebuildLifetimes(at slot: Int) {
        guard lifetimes != nil else { return }
        let key = hosts.keys[slot]
        let residents = held.filter { $0.value.host == key }.sorted { $0.key < $1.key }
        lifetimes?.rebuild(
            slot, with: residents.map { ($0.key, $0.value.lifetime) }, room: hosts.rows[slot].room)
    }
}

extension HostTable {
    /// Whether the host could take anything at all.
    func hasRoom(_ slot: Int) -> Bool {
        memoryRoom[slot] > 0 && (shared.room[slot] > 0 || guaranteed.room[slot] > 0)
    }
}
