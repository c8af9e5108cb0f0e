internal import AgentProtocol
public import Fleet
internal import Foundation
public import ServiceLifecycle
internal import Synchronization

/// Simulated hosts with their hypervisors and shims, in the process of the agent.
///
/// Simulated machines go on while the process is dead: their journal and fence deadlines are on disk, and
/// `open` plays what happened in between. The journal is written without fsync: it has to survive a killed
/// process, and a power loss ends the simulated world with it.
///
/// `run` moves time; a caller with a clock of its own may call `advance` instead.
public final class SimulatedSubstrate: Sendable {
    /// Resolution of simulated time. Events keep their exact times; only their observation waits.
    private static let tick = Duration.milliseconds(10)

    private enum Change: Sendable {
        case part(ID<Allocation>)
        case reachability
    }

    let clock: any AgentClock
    private let directory: String
    private let disk: MemoryDisk?
    private let journal: JournalFile
    let state: Mutex<SimulationState>
    /// Lines that could not be written yet; nothing overtakes them.
    private let backlog = Mutex<[RunRecord]>([])
    private let changed = Mailbox<Change>()
    private let fleet: [InventoriedHost]

    private init(
        clock: any AgentClock, directory: String, disk: MemoryDisk?, journal: JournalFile,
        state: SimulationState
    ) {
        self.clock = clock
        self.directory = directory
        self.disk = disk
        self.journal = journal
        fleet = state.spec.hosts
        self.state = Mutex(state)
    }

    /// Opens the world kept in `directory`, or a new one. The spec must be the one it was made with.
    /// - Parameters:
    ///   - poweredOffAt: a fault: nothing that ran outlived this moment.
    ///   - disk: keeps it instead of the file system.
    ///   - trainingSpeed: seconds of training per second; ranks of training jobs run so much faster than their
    ///     plans predict. To be the same after a restart.
    /// - Throws: `JournalError`.
    public static func open(
        directory: String, spec: SimulatedFleetSpec, clock: any AgentClock, poweredOffAt: Timestamp? = nil,
        disk: MemoryDisk? = nil, trainingSpeed: Double = 1
    ) throws -> SimulatedSubstrate {
        if disk == nil {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        }
        let path = RunJournal.path(in: directory)
        let (journal, payloads) = try JournalFile.open(path: path, on: disk)
        let records = try payloads.flatMap {
            try JournalLines.decode(RunRecord.self, from: $0, path: path)
        }
        var state = SimulationState(spec: spec, trainingSpeed: trainingSpeed)
        let now = clock.now()
        let wall = clock.wallTime()
        for part in records.survivors(now: now, wall: wall) { state.restore(part) }
        var fence = try FenceRecord.read(in: directory, on: disk)?.deadlines(on: clock) ?? FenceDeadlines()
        // No part that stops by itself starts before the file is there; without it the deadlines are unknown.
        if fence.session == nil { fence.renew(LeaseRenewal(sentAt: now, stopAfterSeconds: 0)) }
        state.setFence(fence)
        if let poweredOffAt { state.powerOff(at: now.advanced(by: poweredOffAt.since(wall))) }
        state.adoptLive(at: now)
        let substrate = SimulatedSubstrate(
            clock: clock, directory: directory, disk: disk, journal: journal, state: state)
        try substrate.state.withLock { state in
            _ = state.takeChanges()
            try substrate.write(&state)
        }
        return substrate
    }

    /// Plays everything that is due by the clock.
    public func advance() {
        // A line that cannot be written stays in the backlog and is tried again with the next.
        try? perform { _, _ in }
    }

    /// When the next thing happens by itself; nil when nothing does.
    public var nextDue: MonotonicTime? { state.withLock { $0.nextDue } }

    /// A fault: the part ends by itself, as after a panic of its guest.
    public func crash(_ allocation: ID<Allocation>, exitCode: Int, message: String) throws(RuntimeError) {
        let end = PartEnd(outcome: .failed, exitCode: exitCode, message: message)
        try perform { state, now in state.crash(allocation, end: end, at: now) }
    }

    /// A fault: the agent cannot reach these hosts, and no others.
    public func setUnreachable(_ hosts: [String]) {
        state.withLock { $0.setUnreachable(hosts) }
        changed.post(.reachability)
    }

    /// Brings time up to date, does `body` and writes what came of both.
    private func perform(
        _ body: (inout SimulationState, MonotonicTime) throws(RuntimeError) -> Void
    ) throws(RuntimeError) {
        let changes = try state.withLock { state throws(RuntimeError) -> [ID<Allocation>] in
            let now = clock.now()
            state.advance(to: now)
            var failure: RuntimeError?
            do throws(RuntimeError) { try body(&state, now) } catch { failure = error }
            do { try write(&state) } catch { failure = failure ?? .indeterminate("\(error)") }
            if let failure { throw failure }
            return state.takeChanges()
        }
        changed.post(changes.map(Change.part))
    }

    private func write(_ state: inout SimulationState) throws {
        let events = state.takeEvents()
        try backlog.withLock { backlog in
            if !events.isEmpty {
                let now = clock.now()
                let wall = clock.wallTime()
                backlog += events.map { RunRecord($0, now: now, wall: wall) }
            }
            guard !backlog.isEmpty else { return }
            try journal.append(try JournalLines.encode(backlog), durable: false)
            backlog = []
        }
    }
}

extension SimulatedSubstrate: VMRuntime {
    public var substrate: String { SubstrateName.simulated }

    public func parts() throws(RuntimeError) -> [RuntimePart] {
        advance()
        return state.withLock { $0.parts.values.map(\.runtimePart) }.sorted { $0.key < $1.key }
    }

    public func start(_ start: PartStart) throws(RuntimeError) {
        try perform { state, now throws(RuntimeError) in try state.start(start, at: now) }
    }

    public func stop(_ key: PartKey) throws(RuntimeError) {
        try perform { state, now throws(RuntimeError) in try state.stop(key, at: now) }
    }

    public func forget(_ keys: [PartKey]) throws(RuntimeError) {
        try perform { state, now in state.forget(keys, at: now) }
    }

    public func renew(_ renewal: LeaseRenewal) {
        // First what was due under the earlier deadline: a renewal that comes too late brings nothing back.
        advance()
        state.withLock { state in
            var next = state.fence
            next.renew(renewal)
            // Known on disk before it counts, so that no process ever holds an earlier deadline than this
            // one.
            guard (try? save(next)) != nil else { return }
            state.setFence(next)
        }
    }

    public func changes() async throws -> RuntimeChanges { digest(try await changed.take()) }

    /// What `changes` would give now, without waiting.
    public func takeChanges() -> RuntimeChanges { digest(changed.drain()) }

    private func digest(_ changes: [Change]) -> RuntimeChanges {
        state.withLock { state in
            var result = RuntimeChanges()
            var seen: Set<ID<Allocation>> = []
            for change in changes {
                switch change {
                case .part(let allocation):
                    guard seen.insert(allocation).inserted, let part = state.parts[allocation] else { break }
                    result.parts.append(part.runtimePart)
                case .reachability: result.unreachable = state.unreachable
                }
            }
            return result
        }
    }

    private func save(_ deadlines: FenceDeadlines) throws {
        try FenceRecord(
            bootID: clock.bootID, now: clock.now(), wall: clock.wallTime(), deadlines: deadlines
        ).write(in: directory, on: disk)
    }
}

extension SimulatedSubstrate: InventorySource {
    public func hosts() -> [InventoriedHost] { fleet }
}

extension SimulatedSubstrate: Service {
    /// Moves time until graceful shutdown or cancellation.
    public func run() async throws {
        do {
            try await cancelWhenGracefulShutdown {
                while true {
                    try await self.clock.sleep(until: self.clock.now().advanced(by: Self.tick))
                    self.advance()
                }
            }
        } catch is CancellationError {
            return
        }
    }
}
