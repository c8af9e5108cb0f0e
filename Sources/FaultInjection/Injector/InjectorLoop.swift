public import FaultLab
internal import Foundation
public import Logging
internal import NodeAgent
internal import Synchronization

/// The control plane, as an injector sees it.
public protocol FaultControl: Sendable {
    func exchange(_ report: InjectorReport) async throws -> InjectorOrders
}

/// Follows what the control plane wants: injects what is ordered, and takes back what no longer is.
public struct InjectorLoop: Sendable {
    private struct Key: Hashable, Sendable {
        var fault: String
        var target: FaultTarget
        var round: Int
    }

    private struct Entry: Sendable {
        var id: String
        var phase: TargetPhase
        var message: String?
        /// Until it is settled by a task of its own.
        var isBusy = false
    }

    private final class Known: Sendable {
        let entries = Mutex<[Key: Entry]>([:])
    }

    private let injector: Injector
    private let control: any FaultControl
    private let directory: String
    private let sentinel: [String]
    private let logger: Logger

    /// Fast enough that a kill switch is felt everywhere within five seconds, twice over.
    private static let period = Duration.milliseconds(400)

    /// - Parameter sentinel: command line that starts one.
    public init(
        injector: Injector, control: any FaultControl, directory: String, sentinel: [String], logger: Logger
    ) {
        self.injector = injector
        self.control = control
        self.directory = directory
        self.sentinel = sentinel
        self.logger = logger
    }

    /// Works until cancelled, and takes everything back then.
    /// - Throws: `InjectionError` when another injector works in the directory.
    public func run() async throws {
        guard let held = try Sentinel.injectorPresence(in: directory).hold() else {
            throw InjectionError("another injector works in \(directory)")
        }
        defer { withExtendedLifetime(held) {} }
        let known = Known()
        // What an earlier one left is nobody's any more.
        for arming in await injector.sweep(everything: true) {
            let key = Key(fault: arming.fault, target: arming.target, round: arming.round)
            known.entries.withLock {
                $0[key] = Entry(id: arming.id, phase: .recovered, message: "the injector started again")
            }
        }
        for stray in try injector.endStrays() {
            logger.warning("ended what no injection accounts for", metadata: ["mark": "\(stray)"])
        }
        await withDiscardingTaskGroup { group in
            var isReached = true
            while !Task.isCancelled {
                do {
                    try await step(known, &group)
                    if !isReached { logger.notice("the control plane answers again") }
                    isReached = true
                } catch {
                    // Leases go on without anybody's word.
                    if isReached {
                        logger.warning("the control plane does not answer", metadata: ["error": "\(error)"])
                    }
                    isReached = false
                }
                do {
                    try await injector.clock.sleep(until: injector.clock.now().advanced(by: Self.period))
                } catch { break }
            }
        }
        _ = await injector.sweep(everything: true)
    }

    private func step(_ known: Known, _ group: inout DiscardingTaskGroup) async throws {
        try await Sentinel.ensure(injector, directory: directory, command: sentinel)
        noteWhatEnded(known)
        let told = known.entries.withLock { $0 }
        let reports = told.map { key, entry in
            TargetReport(
                fault: key.fault, target: key.target, round: key.round, phase: entry.phase,
                message: entry.message)
        }.sorted { ($0.fault, $0.target) < ($1.fault, $1.target) }
        let orders = try await control.exchange(
            InjectorReport(
                targets: injector.targets.offered, reports: reports, leftovers: try leftovers(told)))
        if told.values.contains(where: { $0.phase == .injected }) { injector.reach(.told) }
        // What is over and was told needs no more words.
        known.entries.withLock { entries in
            for (key, entry) in told where entry.phase == .recovered || entry.phase == .failed {
                if entries[key]?.phase == entry.phase { entries[key] = nil }
            }
        }
        follow(orders, known, &group)
    }

    private func follow(_ orders: InjectorOrders, _ known: Known, _ group: inout DiscardingTaskGroup) {
        var wanted: Set<Key> = []
        for order in orders.orders {
            let key = Key(fault: order.fault, target: order.target, round: order.round)
            wanted.insert(key)
            let isNew = known.entries.withLock { entries in
                guard entries[key] == nil else { return false }
                entries[key] = Entry(id: Arming.id(order), phase: .injecting, isBusy: true)
                return true
            }
            if isNew { group.addTask { await arm(order, key, known) } }
        }
        let unwanted = known.entries.withLock { entries in
            let keys = entries.filter { key, entry in
                !wanted.contains(key) && !entry.isBusy && entry.phase.isInEffect
            }.keys
            for key in keys {
                entries[key]?.phase = .recovering
                entries[key]?.isBusy = true
            }
            return Array(keys)
        }
        for key in unwanted { group.addTask { await revert(key, known) } }
    }

    private func arm(_ order: InjectorOrders.Order, _ key: Key, _ known: Known) async {
        let (phase, message): (TargetPhase, String?)
        do {
            try await injector.arm(order)
            (phase, message) = (.injected, nil)
        } catch {
            // What could not be taken back at once is kept by its lease.
            let isLeft = injector.folder.holds(Arming.id(order))
            (phase, message) = (isLeft ? .recovering : .failed, "\(error)")
        }
        set(key, phase, message, known)
    }

    private func revert(_ key: Key, _ known: Known) async {
        guard let id = known.entries.withLock({ $0[key]?.id }) else { return }
        do {
            let isDone = try await injector.revert(id)
            set(key, isDone ? .recovered : .recovering, nil, known)
        } catch {
            logger.error("not taken back yet", metadata: ["arming": "\(id)", "error": "\(error)"])
            set(key, .recovering, "\(error)", known)
        }
    }

    private func set(_ key: Key, _ phase: TargetPhase, _ message: String?, _ known: Known) {
        known.entries.withLock { entries in
            entries[key]?.phase = phase
            entries[key]?.message = message
            entries[key]?.isBusy = false
        }
    }

    /// The sentinel takes back what is due.
    private func noteWhatEnded(_ known: Known) {
        known.entries.withLock { entries in
            for (key, entry) in entries
            where !entry.isBusy && entry.phase.isInEffect && !injector.folder.holds(entry.id) {
                entries[key]?.phase = .recovered
                entries[key]?.message = "its lease was over"
            }
        }
    }

    private func leftovers(_ told: [Key: Entry]) throws -> [String] {
        let known = Set(told.values.map(\.id))
        return try injector.folder.ids().filter { !known.contains($0) }
    }
}
