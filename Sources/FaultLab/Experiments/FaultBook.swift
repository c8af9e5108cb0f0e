public import Fleet

/// All faults that are under way, who can inject, and the kill switch: a value that decides what is allowed
/// and what each injector has to do. It is kept as a whole, so that two requests never pass the same limit.
public struct FaultBook: Sendable, Hashable, Codable {
    public struct KillSwitch: Sendable, Hashable, Codable {
        public var at: Timestamp
        public var actor: String
        public var reason: String
    }

    public struct Injector: Sendable, Hashable, Codable {
        public var targets: [InjectorTarget]
        public var seenAt: Timestamp
        public var leftovers: [String]
    }

    /// All faults are off while it is there.
    public var killSwitch: KillSwitch?
    public var injectors: [String: Injector]
    /// Open ones by name.
    public var faults: [String: FaultRecord]

    public init() {
        killSwitch = nil
        injectors = [:]
        faults = [:]
    }

    /// An injector that was silent for longer gets no new fault.
    public static let patience = Duration.seconds(15)
    /// After the end of a lease until a silent injector's fault counts as left behind.
    public static let recoveryTime = Duration.seconds(10)
    /// Between two notes that an injector is there; more would be writes for nothing.
    private static let noteEvery = Duration.seconds(4)
    /// Faults that run at once.
    public static let mostFaults = 200

    // MARK: - What people ask for

    /// The fault as it would be made; nothing is done.
    public func plan(
        _ name: String, _ spec: FaultSpec, actor: String, at now: Timestamp
    ) throws(FaultRefusal) -> FaultRecord {
        try spec.check(name: name)
        if let killSwitch {
            throw FaultRefusal(
                .switchedOff,
                "All faults are off since \(killSwitch.at): \(killSwitch.reason) (\(killSwitch.actor))")
        }
        guard faults[name] == nil else { throw FaultRefusal(.nameTaken, "There is a fault \(name).") }
        guard faults.count < Self.mostFaults else {
            throw FaultRefusal(.blastRadius, "\(Self.mostFaults) faults run, and no more may.")
        }
        let targets = try targets(of: spec, at: now)
        let record = FaultRecord(
            name: name, spec: spec, actor: actor, createdAt: now, intent: .run, targets: targets)
        try checkRadius(with: record)
        return record
    }

    public mutating func create(
        _ name: String, _ spec: FaultSpec, actor: String, at now: Timestamp
    ) throws(FaultRefusal) -> FaultRecord {
        let record = try plan(name, spec, actor: actor, at: now)
        faults[name] = record
        return record
    }

    /// Takes a fault back, for good.
    public mutating func abort(
        _ name: String, reason: String, at now: Timestamp
    ) throws(FaultRefusal) -> FaultRecord {
        try change(name, at: now) { record in
            record.intent = .stop
            record.reason = record.reason ?? reason
        }
    }

    public mutating func pause(_ name: String, at now: Timestamp) throws(FaultRefusal) -> FaultRecord {
        try change(name, at: now) { if $0.intent == .run { $0.intent = .pause } }
    }

    /// Lets a paused fault go on: each target is hit again, with a lease of its own.
    public mutating func resume(_ name: String, at now: Timestamp) throws(FaultRefusal) -> FaultRecord {
        if let killSwitch { throw FaultRefusal(.switchedOff, "All faults are off: \(killSwitch.reason)") }
        return try change(name, at: now) { record in
            guard record.intent == .pause else { return }
            record.intent = .run
            for index in record.targets.indices where !record.targets[index].phase.isInEffect {
                record.targets[index].phase = .notInjected
                record.targets[index].round += 1
            }
        }
    }

    /// Ends every fault, and refuses new ones until `lift`.
    public mutating func engage(reason: String, actor: String, at now: Timestamp) {
        if killSwitch == nil { killSwitch = KillSwitch(at: now, actor: actor, reason: reason) }
        for name in faults.keys.sorted() {
            faults[name]?.intent = .stop
            if faults[name]?.reason == nil { faults[name]?.reason = "kill switch: \(reason)" }
            settle(name, at: now)
        }
    }

    public mutating func lift() { killSwitch = nil }

    private mutating func change(
        _ name: String, at now: Timestamp, _ body: (inout FaultRecord) -> Void
    ) throws(FaultRefusal) -> FaultRecord {
        guard var record = faults[name] else { throw FaultRefusal(.unknown, "There is no fault \(name).") }
        guard record.isOpen else { throw FaultRefusal(.finished, "\(name) is over.") }
        body(&record)
        faults[name] = record
        settle(name, at: now)
        return faults[name] ?? record
    }

    // MARK: - What is allowed

    private func targets(
        of spec: FaultSpec, at now: Timestamp
    ) throws(FaultRefusal) -> [FaultRecord.Target] {
        let present = injectors.sorted { $0.key < $1.key }
            .filter { now.since($0.value.seenAt) <= Self.patience }
        var found: [FaultTarget: FaultRecord.Target] = [:]
        var isShielded = false
        for (injector, entry) in present {
            for target in entry.targets
            where target.kinds.contains(spec.kind) && spec.selector.matches(target) {
                guard !target.isProtected else {
                    // Named, it is refused; of many it is left out.
                    if spec.selector.names != nil {
                        throw FaultRefusal(.protected, "\(target.target) is protected from faults.")
                    }
                    isShielded = true
                    continue
                }
                guard found[target.target] == nil else { continue }
                found[target.target] = FaultRecord.Target(
                    target: target.target, injector: injector, hosts: target.hosts, phase: .notInjected,
                    round: 1, injectedCount: 0, recoveredCount: 0, changedAt: now)
            }
        }
        if let missing = spec.selector.names?.first(where: { found[$0] == nil }) {
            throw FaultRefusal(.noTarget, "No injector can do \(spec.kind.rawValue) to \(missing).")
        }
        let chosen = found.values.sorted { $0.target < $1.target }.prefix(spec.selector.limit ?? .max)
        guard !chosen.isEmpty else {
            throw FaultRefusal(
                isShielded ? .protected : .noTarget,
                isShielded
                    ? "Every target is protected from faults."
                    : "No injector can do \(spec.kind.rawValue) to what was selected.")
        }
        return Array(chosen)
    }

    private func checkRadius(with record: FaultRecord) throws(FaultRefusal) {
        let running = faults.values.filter(\.isOpen)
        let busy = running.reduce(into: Set<FaultTarget>()) { $0.formUnion($1.reach) }
        if let twice = record.targets.first(where: { busy.contains($0.target) }) {
            throw FaultRefusal(.busy, "\(twice.target) is under a fault already.")
        }
        let union = busy.union(record.reach).count
        let limits = (running + [record]).sorted { ($0.spec.radius, $0.name) < ($1.spec.radius, $1.name) }
        guard let least = limits.first, union > least.spec.radius else { return }
        throw FaultRefusal(
            .blastRadius,
            "\(union) targets would be under faults at once, and \(least.name) allows \(least.spec.radius).")
    }

    // MARK: - What injectors say

    /// Takes what an injector says and answers what shall be in effect on its targets.
    public mutating func exchange(
        _ name: String, _ report: InjectorReport, at now: Timestamp
    ) -> InjectorOrders {
        let entry = Injector(
            targets: report.targets, seenAt: now, leftovers: report.leftovers ?? [])
        if let known = injectors[name], known.targets == entry.targets, known.leftovers == entry.leftovers,
            now.since(known.seenAt) < Self.noteEvery
        {
            // Nothing that anybody would miss.
        } else {
            injectors[name] = entry
        }
        for told in report.reports { take(told, from: name, at: now) }
        judge(at: now)
        return orders(for: name)
    }

    /// Everything that shall be in effect on an injector's targets.
    public func orders(for injector: String) -> InjectorOrders {
        var orders: [InjectorOrders.Order] = []
        for record in faults.values.sorted(by: { $0.name < $1.name })
        where record.isOpen && record.intent == .run && killSwitch == nil {
            for target in record.targets where target.injector == injector {
                guard [.notInjected, .injecting, .injected].contains(target.phase) else { continue }
                orders.append(
                    InjectorOrders.Order(
                        fault: record.name, target: target.target, round: target.round,
                        kind: record.spec.kind, parameters: record.spec.parameters ?? FaultParameters(),
                        leaseSeconds: record.spec.leaseSeconds))
            }
        }
        return InjectorOrders(orders: orders, isSwitchedOff: killSwitch != nil)
    }

    private mutating func take(_ told: TargetReport, from injector: String, at now: Timestamp) {
        guard var record = faults[told.fault],
            let index = record.targets.firstIndex(where: {
                $0.target == told.target && $0.injector == injector && $0.round == told.round
            }), record.targets[index].phase != told.phase
        else { return }
        var target = record.targets[index]
        // What is gone does not come back by a late word.
        guard target.phase != .recovered, target.phase != .failed else { return }
        if told.phase.isInEffect, target.deadline == nil || target.phase == .notInjected {
            target.deadline = now.advanced(by: .seconds(record.spec.leaseSeconds))
        }
        if told.phase == .injected { target.injectedCount += 1 }
        if told.phase == .recovered { target.recoveredCount += 1 }
        target.phase = told.phase
        target.changedAt = now
        target.message = told.message
        record.targets[index] = target
        faults[told.fault] = record
        settle(told.fault, at: now)
    }

    /// Sees leases that are over, and ends faults of which nothing is left to do.
    public mutating func judge(at now: Timestamp) {
        for (name, record) in faults.sorted(by: { $0.key < $1.key }) {
            for (index, target) in record.targets.enumerated() {
                if let deadline = target.deadline, target.phase.isInEffect, target.phase != .orphaned,
                    now > deadline.advanced(by: Self.recoveryTime)
                {
                    faults[name]?.targets[index].phase = .orphaned
                    faults[name]?.targets[index].changedAt = now
                } else if target.phase == .notInjected,
                    now.since(record.createdAt) > .seconds(record.spec.leaseSeconds) + Self.recoveryTime,
                    record.intent == .run, target.round == 1
                {
                    faults[name]?.targets[index].phase = .failed
                    faults[name]?.targets[index].message = "the injector did not answer"
                }
            }
            settle(name, at: now)
        }
    }

    /// Ends faults that went too far.
    public mutating func judge(hostsNotReady: Int, at now: Timestamp) {
        for (name, record) in faults.sorted(by: { $0.key < $1.key }) {
            guard let most = record.spec.abortWhen?.hostsNotReadyAbove, hostsNotReady > most,
                record.intent != .stop
            else { continue }
            faults[name]?.intent = .stop
            faults[name]?.reason = "abort condition: \(hostsNotReady) hosts are not ready, above \(most)"
            settle(name, at: now)
        }
    }

    /// A fault is over when no target is under it and none will be.
    private mutating func settle(_ name: String, at now: Timestamp) {
        guard var record = faults[name], record.isOpen else { return }
        if record.intent == .stop {
            for index in record.targets.indices where record.targets[index].phase == .notInjected {
                record.targets[index].phase = .recovered
                record.targets[index].changedAt = now
            }
        }
        let isOver = record.targets.allSatisfy { $0.phase == .recovered || $0.phase == .failed }
        if isOver, record.intent != .pause { record.finishedAt = now }
        faults[name] = record
    }
}

extension FaultSpec {
    func check(name: String) throws(FaultRefusal) {
        func refuse(_ message: String) -> FaultRefusal { FaultRefusal(.invalid, message) }
        let letters = name.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }
        guard !name.isEmpty, name.count <= 63, letters, name.first != "-", name.last != "-" else {
            throw refuse("name: lower-case letters, digits and hyphens, at most 63")
        }
        guard (1...Self.longestLease).contains(leaseSeconds) else {
            throw refuse("leaseSeconds lies between 1 and \(Self.longestLease)")
        }
        guard (1...Self.largestRadius).contains(radius) else {
            throw refuse("blastRadius lies between 1 and \(Self.largestRadius)")
        }
        guard selector.names != nil || selector.component != nil || selector.labels != nil else {
            throw refuse("selector: give names, component or labels")
        }
        if let names = selector.names, names.isEmpty || names.count > Self.largestRadius {
            throw refuse("selector.names holds between 1 and \(Self.largestRadius) names")
        }
        if let component = selector.component, FaultTarget.Component(rawValue: component) == nil {
            throw refuse("selector.component: \"\(component.prefix(40))\" is no component")
        }
        if let limit = selector.limit, limit < 1 { throw refuse("selector.limit is at least 1") }
        if let probability = parameters?.probability, !(0...1).contains(probability) {
            throw refuse("parameters.probability lies between 0 and 1")
        }
        if let count = parameters?.count, !(1...10_000).contains(count) {
            throw refuse("parameters.count lies between 1 and 10000")
        }
        if let delay = parameters?.delaySeconds, !(0...3600).contains(delay) {
            throw refuse("parameters.delaySeconds lies between 0 and 3600")
        }
    }
}
