/// Watches one host, and goes from observing over taking no more VMs, slowing spot VMs and moving VMs to
/// stopping spot VMs, as far as it needs to and no faster than effects can be seen.
///
/// A value: readings and time go in, events with actions come out. Its coding is all that has to be kept
/// over a restart.
public struct NodeGuard: Sendable, Hashable, Codable {
    public private(set) var settings: GuardSettings
    private var ladder: GuardLadder
    private var latest: HostReading?
    /// Since when a limit has been reached without a break, by its place among the hot ones.
    private var since: [Int: Int] = [:]
    /// Cores by VM, while throttled.
    private var quotas: [String: Double] = [:]
    private var quotasAt = 0
    /// When a VM was asked to move.
    private var asked: [String: Int] = [:]
    private var migrations = 0

    public init(_ settings: GuardSettings = .init()) {
        self.settings = settings
        ladder = settings.ladder()
    }

    public var rung: GuardRung { GuardRung(rawValue: ladder.level) ?? .page }

    /// Whether the host takes VMs.
    public var admits: Bool { rung == .observe }

    /// Takes a reading. One that is not newer than the latest, or too old, is not one.
    public mutating func observe(_ reading: HostReading, now: Int) -> [GuardEvent] {
        guard reading.signals.at > latest?.signals.at ?? Int.min else { return tick(now: now) }
        // After a silence nothing is known to have lasted.
        if let latest, reading.signals.at - latest.signals.at > settings.staleSeconds { since = [:] }
        latest = reading
        guard now - reading.signals.at <= settings.staleSeconds else { return tick(now: now) }
        forget(now: now)
        let hot = hotSignals(reading.signals)
        if !hot.isEmpty { return climb(reading, hot: hot, now: now) }
        let isCalm = settings.thresholds.isCalm(reading.signals)
        return descend(permits: isCalm ? 0 : ladder.level, now: now) ?? regulate(reading, now: now)
    }

    /// Time passes without a reading.
    public mutating func tick(now: Int) -> [GuardEvent] {
        let isStale = latest.map { now - $0.signals.at > settings.staleSeconds } ?? false
        guard isStale else { return [] }
        // Also ends a calm that was only seen to begin.
        let freeze = GuardRung.freeze.rawValue
        guard ladder.step(at: now, calls: freeze, permits: ladder.level) != nil else { return [] }
        return [event(from: .observe, .stale, action: .freezeAdmissions, now: now)]
    }

    /// What is asked for just now, to be said again to who may have forgotten: quotas while throttled.
    public var standingQuotas: [VMQuota] {
        quotas.sorted { $0.key < $1.key }.map { VMQuota(name: $0.key, cores: $0.value) }
    }

    // MARK: - Up

    private mutating func hotSignals(_ signals: HostSignals) -> [HostSignals.Signal] {
        var hot: [HostSignals.Signal] = []
        for (index, limit) in settings.thresholds.hot.enumerated() {
            guard signals[limit.signal] >= limit.value else {
                since[index] = nil
                continue
            }
            // A reading stands for the interval before it.
            let start = since[index] ?? signals.at - settings.intervalSeconds
            since[index] = start
            if signals.at - start >= limit.seconds { hot.append(limit.signal) }
        }
        return hot
    }

    /// One action at most: rungs that have nothing to do are passed.
    private mutating func climb(
        _ reading: HostReading, hot: [HostSignals.Signal], now: Int
    ) -> [GuardEvent] {
        let before = rung
        if ladder.isSettled(at: now), let action = again(reading, now: now) {
            ladder.restart(at: now)
            return [event(from: before, .hot, hot: hot, action: action, now: now)]
        }
        while ladder.step(at: now, calls: GuardRung.page.rawValue, permits: ladder.level) != nil {
            if let action = action(entering: rung, reading, now: now) {
                return [event(from: before, .hot, hot: hot, action: action, now: now)]
            }
            ladder.skip(at: now)
        }
        return []
    }

    private mutating func action(
        entering rung: GuardRung, _ reading: HostReading, now: Int
    ) -> GuardAction? {
        switch rung {
        case .observe: return nil
        case .freeze: return .freezeAdmissions
        case .throttle: return throttle(reading, now: now)
        case .migrate: return migrate(reading, now: now)
        case .evict: return evict(reading)
        case .page: return .page
        }
    }

    /// The same again where the rung has more to give.
    private mutating func again(_ reading: HostReading, now: Int) -> GuardAction? {
        switch rung {
        case .migrate: migrate(reading, now: now)
        case .evict: evict(reading)
        case .observe, .freeze, .throttle, .page: nil
        }
    }

    private mutating func throttle(_ reading: HostReading, now: Int) -> GuardAction? {
        guard settings.canThrottle else { return nil }
        let next = GuardVictims(settings: settings, reading: reading)
            .quotas(after: quotas, seconds: now - quotasAt)
        let named = Dictionary(next.map { ($0.name, $0.cores) }, uniquingKeysWith: min)
        // Where nothing is held back yet and nothing would be, there is nothing to do.
        let holdsBack = zip(next, spotCores(reading)).contains { $0.cores < $1 }
        guard named != quotas, holdsBack || !quotas.isEmpty else { return nil }
        quotas = named
        quotasAt = now
        return .throttle(next)
    }

    /// In the order of quotas.
    private func spotCores(_ reading: HostReading) -> [Double] {
        reading.vms.filter { $0.promise == .spot }.sorted { $0.name < $1.name }.map(\.cores)
    }

    /// One VM leaves a host at a time.
    private mutating func migrate(_ reading: HostReading, now: Int) -> GuardAction? {
        let isLeaving = reading.vms.contains { asked[$0.name] != nil }
        guard migrations < settings.migrations, !isLeaving else { return nil }
        let victims = GuardVictims(settings: settings, reading: reading)
        guard let vm = victims.migration(except: Set(asked.keys)) else { return nil }
        asked[vm.name] = now
        migrations += 1
        return .migrate(vm.name)
    }

    private func evict(_ reading: HostReading) -> GuardAction? {
        GuardVictims(settings: settings, reading: reading).eviction.map { .evict($0.name) }
    }

    private mutating func forget(now: Int) {
        asked = asked.filter { now - $0.value < settings.vmCoolDownSeconds }
    }

    // MARK: - Down

    private mutating func descend(permits: Int, now: Int) -> [GuardEvent]? {
        let before = rung
        guard ladder.step(at: now, calls: 0, permits: permits) != nil else { return nil }
        switch rung {
        case .observe:
            migrations = 0
            return [event(from: before, .calm, action: .admit, now: now)]
        case .freeze:
            quotas = [:]
            return [event(from: before, .calm, action: .lift, now: now)]
        case .throttle, .migrate, .evict, .page:
            ladder.skip(at: now)
            return [event(from: before, .calm, action: nil, now: now)]
        }
    }

    /// While spot VMs are throttled their quotas follow the others, up as well as down.
    private mutating func regulate(_ reading: HostReading, now: Int) -> [GuardEvent] {
        guard rung == .throttle, ladder.isSettled(at: now), now - quotasAt >= 60,
            let action = throttle(reading, now: now)
        else { return [] }
        ladder.restart(at: now)
        return [event(from: rung, .regulation, action: action, now: now)]
    }

    private func event(
        from before: GuardRung, _ cause: GuardEvent.Cause, hot: [HostSignals.Signal] = [],
        action: GuardAction?, now: Int
    ) -> GuardEvent {
        GuardEvent(
            at: now, before: before, after: rung, cause: cause, hot: hot, signals: latest?.signals,
            action: action)
    }
}
