internal import AgentProtocol
internal import Fleet
internal import Foundation
internal import Logging
public import ServiceLifecycle
internal import Shim
internal import Synchronization

extension ProcessSubstrate: Service {
    /// Starts and watches parts until graceful shutdown or cancellation. Parts go on.
    public func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await self.operate() }
        } catch is CancellationError {
            return
        }
    }

    private func operate() async throws {
        try await withThrowingDiscardingTaskGroup { children in
            var scanDue = clock.now()
            while true {
                listen()
                if clock.now() >= scanDue {
                    scan()
                    scanDue = clock.now().advanced(by: Timing.scan)
                }
                for allocation in takeStarts() { children.addTask { await self.launch(allocation) } }
                try await clock.sleep(until: clock.now().advanced(by: Timing.tick))
            }
        }
    }

    // MARK: Watching

    private func listen() {
        while let hint = ShimSocket.receive(hints) {
            let words = hint.split(separator: " ", maxSplits: 1)
            guard let allocation = words.first.flatMap({ ID<Allocation>(String($0)) }) else { continue }
            if words.count == 2 {
                logger.error(
                    "a part has trouble",
                    metadata: ["allocation.id": "\(allocation)", "message": "\(words[1])"])
            }
            refresh(allocation)
        }
    }

    /// Looks at everything, whoever told what.
    private func scan() {
        reap()
        let open = state.withLock { $0.parts.values.filter { !$0.isEnded && $0.stage == .launched } }
        for part in open.sorted(by: { $0.key < $1.key }) {
            let allocation = part.key.allocation
            do {
                if let unrecorded = part.unrecorded {
                    end(allocation, unrecorded.end, unrecorded.cause)
                } else if try directory(allocation).isWatched {
                    refresh(allocation)
                    if part.isStopping { tellStop(allocation) }
                } else {
                    // The last thing that a shim does is to write the end.
                    refresh(allocation)
                    if state.withLock({ $0.parts[allocation]?.isEnded == false }) { bury(allocation) }
                }
            } catch {
                logger.error(
                    "a part cannot be looked at",
                    metadata: ["allocation.id": "\(allocation)", "error": "\(error)"])
            }
        }
    }

    private func reap() {
        for shim in state.withLock({ $0.shims }) {
            var status: Int32 = 0
            if waitpid(shim, &status, WNOHANG) != 0 { state.withLock { _ = $0.shims.remove(shim) } }
        }
    }

    /// Takes over what the part's directory tells.
    func refresh(_ allocation: ID<Allocation>) {
        guard let part = state.withLock({ $0.parts[allocation] }), !part.isEnded, part.stage == .launched
        else { return }
        let progress: PartDirectory.Progress
        do {
            progress = try directory(allocation).progress()
        } catch {
            logger.error(
                "a part's journal cannot be read",
                metadata: ["allocation.id": "\(allocation)", "error": "\(error)"])
            return
        }
        switch progress {
        case .untouched, .begun: return
        case .running: move(allocation, to: .running)
        case .ended(let end): move(allocation, to: .ended(end))
        }
    }

    func move(_ allocation: ID<Allocation>, to next: RuntimeState) {
        let isNew = state.withLock { state in
            guard let part = state.parts[allocation], !part.isEnded, part.state != next else { return false }
            state.parts[allocation]?.state = next
            return true
        }
        guard isNew else { return }
        if case .ended = next { bounds.remove(allocation) }
        changed.post(allocation)
    }

    func tellStop(_ allocation: ID<Allocation>) {
        // why `try?`: a shim that does not listen yet is told again with the next look, one that is gone
        // shows then.
        try? directory(allocation).tell(PartFiles.stopMessage)
    }

    // MARK: Ends that no shim writes

    /// Ends a part whose shim is gone, when nothing of it runs any more.
    func bury(_ allocation: ID<Allocation>) {
        let directory = directory(allocation)
        let isGone = LeftoverProcesses.kill(
            allocation, record: directory.processRecord, groups: bounds.groups(of: allocation),
            bootID: clock.bootID)
        // Whatever was killed now is gone by the next look.
        guard isGone, let part = state.withLock({ $0.parts[allocation] }) else { return }
        // why `try?`: a journal that cannot be read keeps the part where it is; the next look says so.
        guard let progress = try? directory.progress() else { return }
        switch progress {
        case .untouched:
            let reason = directory.complaint ?? "its shim ended without a word"
            end(allocation, PartEnd(outcome: .failed, message: "never started: \(reason)"), .startFailed)
        case .begun, .running:
            let message = "the shim was killed, and what it watched with it"
            end(
                allocation, PartEnd(outcome: part.isStopping ? .stopped : .failed, message: message),
                part.isStopping ? .directive : .exited)
        case .ended(let end): move(allocation, to: .ended(end))
        }
    }

    /// Writes an end down, and then takes it for true. Nobody else writes: nothing of the part runs.
    func end(
        _ allocation: ID<Allocation>, _ end: PartEnd, _ cause: RunRecord.Cause, at time: Timestamp? = nil
    ) {
        guard let part = state.withLock({ $0.parts[allocation] }), !part.isEnded else { return }
        do {
            let time = time ?? clock.wallTime()
            try directory(allocation).append(part.record(.stop, cause, at: time, end: end))
        } catch {
            logger.error(
                "a part's end cannot be noted",
                metadata: ["allocation.id": "\(allocation)", "error": "\(error)"])
            state.withLock {
                $0.parts[allocation]?.stage = .launched
                $0.parts[allocation]?.unrecorded = (end, cause)
            }
            return
        }
        move(allocation, to: .ended(end))
    }

    // MARK: Starting

    private func takeStarts() -> [ID<Allocation>] {
        state.withLock { state in
            let room = max(0, configuration.parallelStarts - state.launching)
            let next = Array(state.waiting.prefix(room))
            state.waiting.removeFirst(next.count)
            state.launching += next.count
            for allocation in next { state.parts[allocation]?.stage = .preparing }
            return next
        }
    }

    private func launch(_ allocation: ID<Allocation>) async {
        defer { state.withLock { $0.launching -= 1 } }
        guard let part = state.withLock({ $0.parts[allocation] }) else { return }
        do {
            let shim = try await BlockingWork.run { try self.startShim(of: part) }
            guard let shim else {
                end(allocation, .neverStarted, .directive)
                return
            }
            let isStopping = state.withLock { state in
                state.shims.insert(shim)
                state.parts[allocation]?.stage = .launched
                return state.parts[allocation]?.isStopping == true
            }
            if isStopping { tellStop(allocation) }
            refresh(allocation)
        } catch {
            end(allocation, PartEnd(outcome: .failed, message: "never started: \(error)"), .startFailed)
        }
    }

    /// Nil when the part is to stop by now.
    private func startShim(of part: ProcessPart) throws -> pid_t? {
        let allocation = part.key.allocation
        let directory = directory(allocation)
        let images = ImageStore(directory: layout.images)
        let image = try part.directive.task?.image.map { try images.prepare($0, owner: "\(allocation)") }
        let groups = try bounds.make(allocation, part.directive.resources)
        let order = try PartOrder(configuration: configuration, bounds: bounds, bootID: clock.bootID).make(
            PartStart(key: part.key, directive: part.directive), path: directory.path, image: image,
            groups: groups)
        try DurableFile.replace(path: "\(directory.path)/\(PartFiles.order)", with: order.bytes)
        guard state.withLock({ $0.parts[allocation]?.isStopping == false }) else { return nil }
        return try ShimProcess.start(program: configuration.shim, part: directory)
    }
}
