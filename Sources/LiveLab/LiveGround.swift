internal import APITypes
internal import Client
internal import FaultLab
internal import Fleet
internal import Foundation

/// A live fleet as the place of one session: faults are real, and everything else goes by way of the
/// product's own API.
final class LiveGround: ProblemGround {
    let fleet: LiveFleet
    let problem: FaultLab.Problem
    private let start = ContinuousClock.now
    let wall: Timestamp
    /// What was read of the fleet meanwhile.
    var series = LiveSeries()
    /// Faults of documents that are in effect, by the document.
    var documents: [String: Fault] = [:]
    /// Removed by the agent.
    private(set) var lost: [String] = []
    private var former: JSONValue?
    /// Names of injected faults by the problem's.
    private var injected: [Int: String] = [:]
    private let prefix: String

    /// Longer than any session.
    private static let lease = 600

    init(_ fleet: LiveFleet, _ problem: FaultLab.Problem, number: Int, at wall: Timestamp) {
        self.fleet = fleet
        self.problem = problem
        self.wall = wall
        prefix = "session-\(number)"
    }

    var now: Timestamp { wall.advanced(by: ContinuousClock.now - start) }

    func pass(_ duration: Duration) async {
        // why `try?`: cancelled, the session ends with its next call.
        try? await Task.sleep(for: duration)
    }

    // MARK: Before and after

    func settle() async throws -> FleetState {
        let vms = Collection(.vm, project: LiveFleet.project)
        try await LiveFleet.wait("the control plane answers") {
            _ = try await self.fleet.client.cluster()
            return true
        }
        for name in fleet.residents where try await fleet.client.find(name, in: vms) == nil {
            let spec = VMSpec(
                cell: "east", resources: Resources(milliCPU: 100, memoryMiB: 64),
                run: RunSpec(command: LiveFleet.command))
            _ = try await fleet.client.create(
                WireDraft(kind: Kind.vm.rawValue, metadata: .init(name: name), spec: try .of(spec)), in: vms)
        }
        for agent in fleet.agents {
            let host = try await fleet.client.get(agent, in: Collection(.host))
            if host.spec["cordoned"] == .bool(true) || host.spec["draining"] == .bool(true) {
                _ = try await fleet.client.uncordon(host: agent, reason: "a new session")
            }
        }
        former = try await fleet.client.get(LiveFleet.pool, in: Collection(.pool)).spec
        let deadline = ContinuousClock.now + .seconds(120)
        var state = await state()
        while !state.missing([.everythingRuns, .agentsReport]).isEmpty, ContinuousClock.now < deadline {
            await pass(.milliseconds(200))
            state = await self.state()
        }
        return state
    }

    func inject() async throws {
        for fault in problem.faults {
            if fault.kind == .badRatio {
                let perMille = Int((Double(fault.parameters.value ?? "") ?? 15) * 1000)
                try await setPool(fault.target.name, ["cpuRatioPerMille": .integer(perMille)])
                documents[fault.target.name] = fault
                continue
            }
            let name = "\(prefix)-\(fault.id)"
            _ = try await fleet.client.injectFault(
                FaultDraft(
                    name: name,
                    spec: FaultSpec(
                        kind: fault.kind, selector: TargetSelector(names: [fault.target]),
                        parameters: fault.parameters, leaseSeconds: Self.lease,
                        blastRadius: problem.faults.count)))
            injected[fault.id] = name
            // By the disk: the control plane may be what suffers.
            try await LiveFleet.wait("\(fault.kind) is in effect") {
                try self.fleet.inEffect().contains(name)
            }
        }
    }

    /// Injectors verify what they do; what a fleet shows of it is looked at beside.
    func showsEffect() async -> Bool {
        for fault in problem.faults {
            switch fault.kind {
            case .agentCrash, .agentHang, .heartbeatDrop, .hostPowerOff, .linkAnswerLoss, .rackPartition,
                .linkPartition:
                // A controller without its store has nothing to tell.
                guard fault.target.component != .controller else { continue }
                let silent = await state().silentAgents
                if !silent.contains(fault.target.name) { return false }
            case .vmCrashLoop:
                let waiting = await state().notRunning
                if waiting.isEmpty { return false }
            // Not asked for: a control plane without its store answers nothing, and that slowly.
            default: continue
            }
        }
        return true
    }

    func recover() async -> [String] {
        do {
            // With the database first, if that is what is broken.
            if !(try fleet.inEffect().isEmpty) { try await fleet.takeEverythingBack() }
            for pool in documents.keys.sorted() { try await rollBack(pool) }
            let names = Set(injected.values)
            try await LiveFleet.wait("the faults are over") {
                try await self.fleet.client.faults().allSatisfy { !names.contains($0.name) || !$0.isOpen }
            }
            return try fleet.inEffect().sorted()
        } catch {
            return ["\(error)"]
        }
    }

    // MARK: Judgement

    func state() async -> FleetState {
        var state = FleetState(lost: lost)
        do {
            let armed = try fleet.inEffect()
            for pool in documents.keys.sorted() {
                let spec = try await fleet.client.get(pool, in: Collection(.pool)).spec
                if spec == former { documents[pool] = nil }
            }
            state.faultsInEffect = injected.values.count { armed.contains($0) } + documents.count
            let hosts = try await fleet.client.listAll(Collection(.host)).items
            state.silentAgents = try hosts.filter {
                try $0.status?.read(HostStatus.self).contact != .ready
            }.map(\.metadata.name)
            let vms = try await fleet.client.listAll(Collection(.vm, project: LiveFleet.project)).items
            try note(hosts, vms)
            for vm in vms {
                let status = try vm.status?.object?.isEmpty == false ? vm.status?.read(VMStatus.self) : nil
                guard status?.state != .running else { continue }
                state.notRunning.append("\(vm.metadata.name) is \(status?.state.rawValue ?? "new")")
            }
            state.violations = try await fleet.client.check().violations
            let targets = Set(problem.faults.map(\.target.name))
            state.partsOnTargets = try await fleet.client.allocations().items.count { allocation in
                hosts.contains {
                    $0.metadata.uid.description == allocation.host.description
                        && targets.contains($0.metadata.name)
                }
            }
        } catch {
            state.notRunning.append("unknown: \(error)")
        }
        return state
    }

    // MARK: Acting

    func perform(_ action: AgentAction) async -> Observation {
        do {
            switch action {
            case .read(let read): return try await look(read)
            case .write(let write): return try await act(write)
            case .submit: return .message("Received.")
            }
        } catch {
            return .message("failed: \(error)", status: .error)
        }
    }

    private func look(_ action: ReadAction) async throws -> Observation {
        switch action {
        case .wait(let seconds):
            await pass(.seconds(seconds))
            return .message("waited")
        case .alerts:
            let state = await state()
            let silent = state.silentAgents.map {
                Alert(
                    name: AlertName.agentSilent.rawValue, component: ComponentName(kind: "host", $0),
                    since: now, text: "not heard of for longer than its lease")
            }
            return Observation(.alerts(silent))
        case .inventory(let kind, let filter):
            let rows = try await rows(kind)
            return Observation(
                .rows(
                    rows.filter { row in
                        filter.map { filter in row.values.contains { $0.contains(filter) } } ?? true
                    }))
        case .events(let target):
            let name = target.map { ComponentName($0) }
            let events = try await fleet.client.events(.init(limit: 100)).items.filter { event in
                name.map { [$0.path, $0.description].contains(event.name) } ?? true
            }
            return Observation(
                .events(
                    events.map {
                        EventLine(
                            at: $0.at, component: ComponentName(kind: $0.kind.rawValue.lowercased(), $0.name),
                            reason: $0.reason.rawValue, message: $0.message)
                    }))
        case .logs(let query): return try await logs(query)
        case .metrics(let prefix, let range, _): return await metrics(prefix, range)
        case .traces(let service, let since, let onlyErrors): return traces(service, since, onlyErrors)
        default: return .message("Nothing of that is collected in this fleet.", status: .blocked)
        }
    }

    private func rows(_ kind: String) async throws -> [[String: String]] {
        switch kind {
        case "host", "agent":
            try await fleet.client.listAll(Collection(.host)).items.map {
                let contact = try $0.status?.read(HostStatus.self).contact.rawValue
                return ["name": $0.metadata.name, "contact": contact ?? ""]
            }
        case "vm":
            try await fleet.client.listAll(Collection(.vm, project: LiveFleet.project)).items.map {
                let status = try $0.status?.object?.isEmpty == false ? $0.status?.read(VMStatus.self) : nil
                return [
                    "name": $0.metadata.name, "phase": status?.state.rawValue ?? "",
                    "host": status?.host ?? "", "restarts": "\(status?.restarts ?? 0)",
                ]
            }
        case "controller": fleet.controllers.map { ["name": $0.name] }
        default: []
        }
    }

    private func act(_ write: WriteAction) async throws -> Observation {
        let name = write.object.path.isEmpty ? write.object.description : write.object.path
        var answer = Observation.message("\(write.verb.rawValue) \(write.object): done.")
        switch write.verb {
        case .cordon: _ = try await fleet.client.cordon(host: name, reason: "by an agent")
        case .uncordon: _ = try await fleet.client.uncordon(host: name, reason: "by an agent")
        case .drain: _ = try await fleet.client.drain(host: name, reason: "by an agent")
        case .deleteWorkload:
            _ = try await fleet.client.delete(name, in: Collection(.vm, project: LiveFleet.project))
            lost.append(name)
        case .rollbackPolicy: try await rollBack(name)
        default: answer = .message("Nothing was found to do at \(write.object).")
        }
        if try await remedy(write) { answer = .message("\(write.verb.rawValue) \(write.object): it helped.") }
        return answer
    }

    /// Ends the faults that the action is a remedy for, as the person would whom it stands for.
    private func remedy(_ write: WriteAction) async throws -> Bool {
        var helped = false
        for fault in problem.faults {
            guard let name = injected[fault.id], try fleet.inEffect().contains(name),
                fault.remedy(write, hosts: [fault.target.name]) != nil
            else { continue }
            helped = true
            if fault.kind.layer == .store {
                // A control plane without its store takes no orders.
                try await fleet.takeEverythingBack()
            } else {
                _ = try await fleet.client.abortFault(name, reason: "repaired")
                try await LiveFleet.wait("\(name) is over") { try !self.fleet.inEffect().contains(name) }
            }
        }
        return helped
    }

    // MARK: Documents

    private func rollBack(_ pool: String) async throws {
        guard pool == LiveFleet.pool, let former else { throw LiveFleetError("there is no policy \(pool)") }
        let document = try await fleet.client.get(pool, in: Collection(.pool))
        _ = try await fleet.client.replace(
            WireDraft(kind: Kind.pool.rawValue, metadata: .init(name: pool), spec: former),
            in: Collection(.pool), match: .version(of: document))
        documents[pool] = nil
    }

    private func setPool(_ pool: String, _ fields: [String: JSONValue]) async throws {
        let document = try await fleet.client.get(pool, in: Collection(.pool))
        _ = try await fleet.client.patch(
            pool, in: Collection(.pool), with: .object(["spec": .object(fields)]),
            match: .version(of: document))
    }
}
