internal import AgentProtocol
internal import Fleet
internal import Foundation
internal import Logging
internal import Shim
internal import Synchronization

/// The machine of the agent, with parts as processes under shims.
///
/// What is true is on disk and in the shims: each part has a directory with its order and its journal, and
/// the shim that holds the journal's lock watches the part, also while no agent is there. This object only
/// looks on: when a shim hints that something changed, and by itself once a second.
///
/// A shim that is killed takes its command along (the kernel sees to it), and the agent kills what that had
/// started: without a shim nobody would hold the fence deadline or note the end, so it could run twice.
public final class ProcessSubstrate: Sendable {
    enum Timing {
        /// Between two looks at the hints.
        static let tick = Duration.milliseconds(20)
        /// Between two looks at everything: a hint may be lost, and the dead give none.
        static let scan = Duration.seconds(1)
    }

    enum Fence {
        /// A part that its deadline stops has this share of `stopAfter` to end before it is killed: with any
        /// safe terms `stopAfter × 1.2 < lease × 1.2 < fencedAfter`.
        static let graceDivisor = 5
    }

    struct State {
        var parts: [ID<Allocation>: ProcessPart] = [:]
        var waiting: [ID<Allocation>] = []
        /// Starts under way.
        var launching = 0
        /// Shims to be reaped.
        var shims: Set<pid_t> = []
        var fence: FenceDeadline?
        var renewalSentAt: MonotonicTime?
        /// Progress that was told already.
        var progress: [ID<Allocation>: PartProgressFile] = [:]
    }

    let configuration: ProcessConfiguration
    let layout: ProcessLayout
    let clock: any AgentClock
    let bounds: ProcessBounds
    let logger: Logger
    let archive: JournalFile
    let hints: Int32
    let state = Mutex(State())
    let changed = Mailbox<ID<Allocation>>()

    init(
        configuration: ProcessConfiguration, clock: any AgentClock, bounds: ProcessBounds,
        archive: JournalFile, hints: Int32, logger: Logger
    ) {
        self.configuration = configuration
        layout = ProcessLayout(root: configuration.directory)
        self.clock = clock
        self.bounds = bounds
        self.archive = archive
        self.hints = hints
        self.logger = logger
    }

    deinit { close(hints) }

    /// Name of the machine.
    public var host: String { configuration.host }

    /// Labels that tell how the host keeps parts.
    public var labels: [String: String] { ["process.bounds": bounds.label] }

    /// What holds spot VMs back for the host's guard; nil where the machine has no control groups that the
    /// agent may write.
    public var throttle: (any UsageThrottle)? { bounds.canThrottle ? ProcessThrottle(substrate: self) : nil }

    func directory(_ allocation: ID<Allocation>) -> PartDirectory {
        PartDirectory(path: layout.part(allocation))
    }
}

extension ProcessSubstrate: VMRuntime {
    public var substrate: String { SubstrateName.process }

    public func parts() throws(RuntimeError) -> [RuntimePart] {
        state.withLock { $0.parts.values.map(\.runtimePart) }.sorted { $0.key < $1.key }
    }

    public func start(_ start: PartStart) throws(RuntimeError) {
        let allocation = start.key.allocation
        guard start.key.host == configuration.host else {
            throw .refused("this machine is \(configuration.host), not \(start.key.host)")
        }
        try state.withLock { state throws(RuntimeError) in
            guard state.parts[allocation] == nil else { return }
            if start.directive.onPartition == .stop {
                guard let fence = state.fence, fence.bootID == clock.bootID,
                    fence.stopAt > clock.now().microseconds
                else { throw .refused("the fence deadline has passed") }
            }
            do {
                _ = try PartDirectory.create(start, in: layout)
            } catch {
                throw .refused("the start cannot be noted: \(error)")
            }
            state.parts[allocation] = ProcessPart(
                key: start.key, directive: start.directive, state: .starting, stage: .waiting)
            state.waiting.append(allocation)
        }
        changed.post(allocation)
    }

    public func stop(_ key: PartKey) throws(RuntimeError) {
        let stage = try state.withLock { state throws(RuntimeError) -> ProcessPart.Stage? in
            guard let part = state.parts[key.allocation], part.key == key else { throw .unknownPart }
            if part.isEnded { return nil }
            state.parts[key.allocation]?.isStopping = true
            state.waiting.removeAll { $0 == key.allocation }
            return part.stage
        }
        switch stage {
        case nil: changed.post(key.allocation)
        case .waiting: end(key.allocation, .neverStarted, .directive)
        // The start that is under way sees it.
        case .preparing: break
        case .launched: tellStop(key.allocation)
        }
    }

    public func forget(_ keys: [PartKey]) throws(RuntimeError) {
        for key in keys {
            guard let part = state.withLock({ $0.parts[key.allocation] }), part.key == key, part.isEnded
            else { continue }
            do {
                // First the journal of all, then the part's own: what ran is on disk at any time.
                let directory = directory(key.allocation)
                let records =
                    try directory.records() + [part.record(.forget, .directive, at: clock.wallTime())]
                try archive.append(try JournalLines.encode(records), durable: true)
                try directory.remove()
            } catch {
                throw .indeterminate("\(key.allocation): \(error)")
            }
            bounds.remove(key.allocation)
            state.withLock { $0.parts[key.allocation] = nil }
        }
    }

    public func renew(_ renewal: LeaseRenewal) {
        guard !renewal.except.contains(configuration.host) else { return }
        let stopAfter = Duration.seconds(renewal.stopAfterSeconds)
        let deadline = FenceDeadline(
            bootID: clock.bootID, stopAt: renewal.deadline.microseconds,
            killAt: renewal.deadline.advanced(by: stopAfter / Fence.graceDivisor).microseconds,
            writtenAt: clock.wallTime().microseconds)
        state.withLock { state in
            // An answer that was overtaken moves nothing back.
            if let sentAt = state.renewalSentAt, renewal.sentAt < sentAt { return }
            do {
                // It has to survive this process, not the machine.
                try Data(deadline.text.utf8).write(
                    to: URL(fileURLWithPath: layout.fence), options: .atomic)
            } catch {
                logger.warning("the fence deadline cannot be noted", metadata: ["error": "\(error)"])
                return
            }
            state.fence = deadline
            state.renewalSentAt = renewal.sentAt
        }
    }

    public func changes() async throws -> RuntimeChanges { digest(try await changed.take()) }

    private func digest(_ changes: [ID<Allocation>]) -> RuntimeChanges {
        state.withLock { state in
            RuntimeChanges(parts: Set(changes).sorted().compactMap { state.parts[$0]?.runtimePart })
        }
    }
}
