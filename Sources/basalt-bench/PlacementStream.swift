import Fleet
import Foundation
import ProgramShell
import Store
import Synchronization

/// VMs that are created when they are due, whether or not those before are placed, and when their allocations
/// are seen in the feed.
final class PlacementStream: Sendable {
    /// So small that a whole run changes the use of the fleet by a few percent.
    private static let shape = Resources(milliCPU: 250, memoryMiB: 512)

    /// The worst of one window, milliseconds.
    struct Worst {
        /// From when a VM was due until its allocation was seen.
        var latency: Double
        /// Between two looks at the feed that showed allocations.
        var gap: Double
    }

    private struct State {
        /// VMs that are not placed, and when they were due.
        var waiting: [ID<Document>: ContinuousClock.Instant] = [:]
        var latencies: [Double] = []
        var lastSeen: ContinuousClock.Instant?
        var gap = Duration.zero
    }

    private let cell: String
    private let perSecond: Int
    private let store: PostgresStore
    private let state = Mutex(State())

    init(cell: String, perSecond: Int, store: PostgresStore) {
        self.cell = cell
        self.perSecond = perSecond
        self.store = store
    }

    /// Runs until cancelled.
    func create() async throws {
        let start = ContinuousClock.now
        let context = WriteContext(actor: "user/bench", verb: "create")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0... {
                let due = start + .nanoseconds(1_000_000_000 / perSecond) * number
                do { try await Task.sleep(until: due, clock: .continuous) } catch { break }
                let draft = draft(number)
                state.withLock { $0.waiting[draft.uid] = due }
                let store = store
                group.addTask {
                    do {
                        _ = try await store.create([draft], context: context)
                    } catch  where Task.isCancelled {
                        // The end of the run.
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private func draft(_ number: Int) -> DocumentDraft {
        DocumentDraft(
            uid: ID(SystemSeams.ids.next()), kind: .vm, project: cell, name: "stream-\(number)",
            finalizers: ["allocations"],
            spec: """
                {"cell":"\(cell)","resources":{"memoryMiB":\(Self.shape.memoryMiB),\
                "milliCPU":\(Self.shape.milliCPU)}}
                """)
    }

    /// Follows the feed until cancelled. A VM's first change after its creation is its placement: both are
    /// one transaction.
    func watch() async throws {
        var cursor = try await store.feedPosition()
        var seen: UInt64 = 0
        do {
            while !Task.isCancelled {
                let page = try await store.feed(after: cursor, limit: 4096)
                cursor = page.next
                note(page.entries)
                if page.isHeldBack {
                    try await Task.sleep(for: .milliseconds(2))
                } else if page.entries.isEmpty {
                    seen = try await store.waitForChange(after: seen, timeout: .seconds(1))
                }
            }
        } catch  where Task.isCancelled {
            return
        }
    }

    private func note(_ entries: [FeedEntry]) {
        let now = ContinuousClock.now
        state.withLock { state in
            var found = false
            for entry in entries where entry.kind == .vm && entry.change == .updated {
                guard let due = state.waiting.removeValue(forKey: entry.uid) else { continue }
                state.latencies.append(Spread.milliseconds(now - due))
                found = true
            }
            guard found else { return }
            if let last = state.lastSeen { state.gap = max(state.gap, now - last) }
            state.lastSeen = now
        }
    }

    func beginWindow() {
        state.withLock { state in
            state.latencies = []
            state.gap = .zero
        }
    }

    /// Of the window until now; VMs that still wait count with the time they have waited.
    func worst() throws -> Worst {
        try state.withLock { state in
            let now = ContinuousClock.now
            let waiting = state.waiting.values.map { Spread.milliseconds(now - $0) }
            guard let latency = (state.latencies + waiting).max(), let last = state.lastSeen else {
                throw BenchmarkError("no VM was placed")
            }
            return Worst(latency: latency, gap: Spread.milliseconds(max(state.gap, now - last)))
        }
    }
}
