internal import FaultLab
internal import Foundation
internal import NodeAgent
internal import Shim

/// An injection before it is done: how it is taken back, how it is done, and how it is seen.
struct Effect: Sendable {
    var undo: [UndoStep]
    var apply: @Sendable () async throws -> Void
    var isSeen: @Sendable () async throws -> Bool
}

/// Makes effects of orders.
struct EffectMaker: Sendable {
    let targets: TargetFile
    let spawner: Spawner
    /// Path of the injector's own program, which carries loads.
    let program: String
    let clock: any AgentClock

    /// Looks and does nothing.
    /// - Throws: `InjectionError` where it cannot be done.
    func effect(of order: InjectorOrders.Order) async throws -> Effect {
        guard let entry = targets.entry(order.target), entry.kinds.contains(order.kind) else {
            throw InjectionError("\(order.kind.rawValue) cannot be done to \(order.target) here")
        }
        guard !targets.offered.contains(where: { $0.target == order.target && $0.isProtected }) else {
            throw InjectionError("\(order.target) is protected from faults")
        }
        if let kinds = entry.seamed, kinds.contains(order.kind) { return try seam(entry, order) }
        switch order.kind {
        case .agentCrash, .controllerCrash, .hostPowerOff: return try crash(entry)
        case .agentHang, .controllerStall:
            return try entry.controlGroup.map { try freeze($0) } ?? hang(entry)
        case .diskFull: return try fillDisk(entry)
        case .noisyNeighbour:
            let burn = ["burn", "--seconds", "\(order.leaseSeconds)"]
            return load(order, Array(repeating: burn, count: min(64, order.parameters.count ?? 1)))
        case .vmCrashLoop:
            let every = order.parameters.delaySeconds ?? 5
            return load(
                order,
                [
                    [
                        "crash-parts", "--workload", order.target.name, "--every", "\(every)", "--seconds",
                        "\(order.leaseSeconds)",
                    ] + (entry.agentStates ?? []).flatMap { ["--agent-state", $0] }
                ])
        case .linkPartition, .linkAnswerLoss, .linkDelay, .linkLoss, .linkDuplicate, .rackPartition,
            .kvLinkDegraded, .storeOutcomeUnknown:
            return try entry.interface.map { try discipline($0, order) } ?? toxics(entry, order)
        default: return try await database(entry, order)
        }
    }

    /// Marked children that do harm until they are ended; they end by themselves as well.
    func load(_ order: InjectorOrders.Order, _ loads: [[String]]) -> Effect {
        let mark = Arming.id(order)
        let (spawner, program) = (spawner, program)
        return Effect(
            undo: [.endMarked(mark: mark)],
            apply: {
                for load in loads { try spawner.start([program, "load"] + load, mark: mark) }
            },
            isSeen: { ProcessTable.marked(mark).count >= loads.count })
    }

    // MARK: Processes

    private func found(_ entry: TargetFile.Entry) throws -> (TargetFile.Program, [ProcessIdentity]) {
        guard let program = entry.program else {
            throw InjectionError("\(entry.target) has no program")
        }
        let processes = ProcessTable.running(program.command)
        guard !processes.isEmpty else { throw InjectionError("\(entry.target) does not run") }
        return (program, processes)
    }

    private func crash(_ entry: TargetFile.Entry) throws -> Effect {
        let (program, processes) = try found(entry)
        // With a machine everything goes that runs on it.
        let states = entry.target.component == .host ? entry.agentStates ?? [] : []
        return Effect(
            undo: [.start(program)],
            apply: {
                ProcessTable.end(processes)
                let parts = states.flatMap { Parts.processes(agentState: $0) }
                ProcessTable.end(parts.flatMap { [$0.shim, $0.command] })
            }, isSeen: { processes.allSatisfy { !$0.isAlive } })
    }

    private func hang(_ entry: TargetFile.Entry) throws -> Effect {
        let (_, processes) = try found(entry)
        return Effect(
            undo: processes.map { .goOn(processID: $0.processID, startTicks: $0.startTicks) },
            apply: { for process in processes where process.isAlive { kill(process.processID, SIGSTOP) } },
            isSeen: { processes.allSatisfy { ProcessTable.isStopped($0) ?? false } })
    }

    /// Every write that makes a file longer fails, as on a disk or under a quota that is used up.
    private func fillDisk(_ entry: TargetFile.Entry) throws -> Effect {
        let (_, processes) = try found(entry)
        let before = try processes.map { ($0, try FileLimit.of($0)) }
        return Effect(
            undo: before.map { process, bytes in
                .restoreFileLimit(
                    processID: process.processID, startTicks: process.startTicks, bytes: bytes)
            },
            apply: { for process in processes { try FileLimit.set(FileLimit.full, of: process) } },
            isSeen: { try processes.allSatisfy { try FileLimit.of($0) == FileLimit.full } })
    }
}
