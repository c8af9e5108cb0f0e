internal import FaultLab
internal import Fleet
internal import Foundation
internal import NodeAgent
internal import Store

/// A fault of the problem while it is in effect.
struct ActiveFault {
    var fault: Fault
    /// What is in the world now, when it is renewed.
    var current: Fault?
    /// Hosts that it is done to.
    var hosts: [String]
    var renewedAt: Duration
    /// Of what is modelled and not simulated.
    var model: Surroundings.Model?
    /// Cures that were tried.
    var tried: Set<ActionVerb> = []
}

extension ProblemWorld {
    /// Faults of processes and machines: the world ends them by the time they were told of, so that they are
    /// told of again and again.
    private static let renewed: Set<FaultKind> = [
        .agentCrash, .agentHang, .hostPowerOff, .controllerCrash, .controllerStall,
    ]
    private static let renewEvery = Duration.seconds(20)

    func inject() async throws {
        let began = world.now
        for fault in problem.faults.sorted(by: { ($0.start, $0.id) < ($1.start, $1.id) }) {
            await pass(max(.zero, began + fault.start - world.now))
            try await begin(fault)
        }
        if problem.decoy == .plannedDrain, let host = problem.bindings["host"] {
            await pass(.seconds(20))
            try await setHost(host) { spec in
                spec.draining = true
                spec.cordonReason = "maintenance"
            }
        }
    }

    private func begin(_ fault: Fault) async throws {
        let device = fault.target.component == .device ? fault.target.name.prefix { $0 != "/" } : ""
        let hosts = world.configuration.machines
            .filter { $0.isHit(by: fault.target) || $0.host == device }.map(\.host)
        var active = ActiveFault(fault: fault, current: nil, hosts: hosts, renewedAt: world.now)
        active.model = Surroundings.model(of: fault)
        switch fault.kind {
        case _ where active.model != nil: break
        case .badRatio: try await sellCores(of: fault.target.name, fault)
        case .labelDrift: try await setLabel(ProblemFleet.declaredLabel.key, "lead", of: fault.target.name)
        case .vmCrashLoop: try await setCommand(fault.parameters.value ?? "crash", of: fault.target.name)
        default:
            var now = fault
            now.id = fault.id * 100_000
            if Self.renewed.contains(fault.kind) { now.lease = Self.renewedLease }
            guard world.inject(now) else {
                throw ProblemRefusal(
                    .notInjectable, problem.name, "\(fault.kind) cannot be done to \(fault.target).")
            }
            active.current = now
        }
        self.active[fault.id] = active
        say(fault.kernelLines?.begin, on: hosts)
    }

    /// What the driver says goes the way of the product: over the agent into the inventory, which takes the
    /// device out of use.
    private func say(_ line: String?, on hosts: [String]) {
        guard let line else { return }
        for machine in world.machines where hosts.contains(machine.name.host) { machine.say(line) }
    }

    func renewFaults() {
        for (id, fault) in active.sorted(by: { $0.key < $1.key }) {
            guard Self.renewed.contains(fault.fault.kind), var next = fault.current,
                world.now - fault.renewedAt >= Self.renewEvery
            else { continue }
            next.id += 1
            world.inject(next)
            active[id]?.current = next
            active[id]?.renewedAt = world.now
        }
    }

    /// Ends a fault; what was written into documents stays as it is.
    func end(_ fault: ActiveFault) async {
        active[fault.fault.id] = nil
        say(fault.fault.kernelLines?.end, on: fault.hosts)
        guard let current = fault.current else { return }
        world.revert(current)
        // What a machine was told of last would end a while later.
        for id in max(0, current.id - 1)..<current.id {
            var before = current
            before.id = id
            world.revert(before)
        }
    }

    // MARK: Faults of documents

    private func sellCores(of pool: String, _ fault: Fault) async throws {
        let perMille = Int((Double(fault.parameters.value ?? "") ?? 15) * 1000)
        try await setPool(pool) { $0.cpuRatioPerMille = perMille }
    }

    /// A document that is right again is a fault that is over.
    func judgeDocuments() async {
        for fault in active.values {
            let name = fault.fault.target.name
            switch fault.fault.kind {
            case .badRatio:
                let pool = try? await world.store.document(.pool, project: nil, name: name)
                if pool?.spec == former[name] { active[fault.fault.id] = nil }
            case .labelDrift:
                let host = try? await world.store.document(.host, project: nil, name: name)
                let declared = ProblemFleet.declaredLabel
                if host?.metadata.labels[declared.key] == declared.value { active[fault.fault.id] = nil }
            case .vmCrashLoop:
                guard let spec = try? await vmSpec(name) else { continue }
                if spec.run?.command == [ProblemFleet.declaredCommand] { active[fault.fault.id] = nil }
            default: continue
            }
        }
    }

    func vmSpec(_ name: String) async throws -> VMSpec? {
        guard let vm = try await world.store.document(.vm, project: "team", name: name) else { return nil }
        return try JSONDecoder().decode(VMSpec.self, from: Data(vm.spec.utf8))
    }

    /// What runs with a command that it does not know ends a few seconds after its start.
    func crashVMs() async {
        for fault in active.values where fault.fault.kind == .vmCrashLoop {
            guard
                let vm = try? await world.store.document(.vm, project: "team", name: fault.fault.target.name),
                let status = try? Self.status(vm), status.state == .running,
                let allocation = status.allocation, let host = status.host,
                let machine = world.machines.first(where: { $0.name.host == host })
            else { continue }
            // It may have ended meanwhile.
            try? machine.runtime?.simulated.crash(allocation, exitCode: 2, message: "no such flag")
        }
    }

    // MARK: Writing documents

    func setHost(_ name: String, _ change: @escaping @Sendable (inout HostSpec) -> Void) async throws {
        _ = try await world.store.update(
            .host, project: nil, name: name, precondition: .none, context: context
        ) { resource in
            var spec = try JSONDecoder().decode(HostSpec.self, from: Data(resource.spec.utf8))
            change(&spec)
            resource.spec = try Workload.text(spec)
        }
    }

    func setPool(_ name: String, _ change: @escaping @Sendable (inout PoolSpec) -> Void) async throws {
        _ = try await world.store.update(
            .pool, project: nil, name: name, precondition: .none, context: context
        ) { resource in
            var spec = try JSONDecoder().decode(PoolSpec.self, from: Data(resource.spec.utf8))
            change(&spec)
            resource.spec = try Workload.text(spec)
        }
    }

    func setLabel(_ key: String, _ value: String, of host: String) async throws {
        _ = try await world.store.update(
            .host, project: nil, name: host, precondition: .none, context: context
        ) { $0.metadata.labels[key] = value }
    }

    func setCommand(_ command: String, of vm: String) async throws {
        _ = try await world.store.update(
            .vm, project: "team", name: vm, precondition: .none, context: context
        ) { resource in
            var spec = try JSONDecoder().decode(VMSpec.self, from: Data(resource.spec.utf8))
            spec.run = RunSpec(command: command.split(separator: " ").map(String.init))
            resource.spec = try Workload.text(spec)
        }
    }
}
