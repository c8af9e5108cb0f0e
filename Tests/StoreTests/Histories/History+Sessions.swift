import AgentProtocol
import Fleet
import Store

extension History {
    mutating func hello(seeing store: any Store) async throws -> Operation {
        guard let session = once(in: 6) ? sessions.last : sessions.first else { return join() }
        let live = try await store.allocations(.live)
        let names = try await CanonicalDump.hostNames(store)
        var parts: [String: [PartReport]] = [:]
        for allocation in live where !once(in: 3) {
            guard let name = names[allocation.host] else { continue }
            parts[name, default: []].append(
                PartReport(
                    host: name, allocation: allocation.id, generation: Generation(epoch: 1, number: 1),
                    state: .running))
        }
        let hosts = Array(Self.hosts.shuffled(using: &random).prefix(once(in: 4) ? 3 : 5))
        return hello(of: session, hosts, parts: parts)
    }

    mutating func hello(
        of session: ID<AgentSession>, _ names: [String], parts: [String: [PartReport]]
    ) -> Operation {
        let seed = UInt64(nextSerial()) &+ 1_000_000
        var hosts: [HostHello] = []
        for name in names { hosts.append(hostHello(name, parts: parts[name] ?? [])) }
        let chosen = hosts
        sequence = 0
        return Operation("hello of \(names)") { harness in
            let outcome = try await harness.store.hello(
                SessionHello(
                    session: session, hosts: chosen, ids: SeededIDs(seed: seed), terms: .standard))
            let refused = outcome.refused.map { "\($0.name) \($0.reason)" }
            return "\(outcome.incarnation) \(outcome.epoch) \(refused)"
        }
    }

    private mutating func hostHello(_ name: String, parts: [PartReport]) -> HostHello {
        let prefix = once(in: 12) ? "shared" : name
        let capacity = Resources(milliCPU: once(in: 6) ? 8000 : 16_000, memoryMiB: 65_536)
        return HostHello(
            name: name,
            inventory: HostInventory(
                capacity: capacity, reserved: Resources(milliCPU: 1000, memoryMiB: 1024),
                devices: (0..<2).map {
                    Device(
                        uuid: "\(prefix)-\($0)", model: "H100", memoryMiB: 80,
                        health: once(in: 8) ? .failed : .healthy)
                },
                domain: FailureDomain(zone: name < "h3" ? "z1" : "z2", rack: "r"),
                labels: ["gen": "\(number(0..<2))"], substrate: "simulated"),
            generation: nil, parts: parts)
    }

    mutating func join() -> Operation {
        let (session, serial): (ID<AgentSession>, Int) = (ids.id(), nextSerial())
        sessions.append(session)
        let pattern = sessions.count == 1 ? "h*" : "h1"
        return Operation("join of \(session)") { harness in
            try await harness.store.createJoinToken(
                JoinToken(
                    secretHash: "t\(serial)", cell: "a", pool: "p", hostPattern: pattern,
                    lifetime: .seconds(60)), context: Self.context("create"))
            let joined = try await harness.store.join(
                JoinSpending(
                    tokenHash: "t\(serial)", session: session, name: "s\(serial)", substrate: "simulated",
                    hosts: ["h1"], credentialHash: "c\(serial)"))
            return "\(joined)"
        }
    }

    mutating func report(seeing store: any Store) async throws -> Operation {
        guard let session = once(in: 8) ? sessions.last : sessions.first else { return join() }
        let known = try await store.sessions().first { $0.id == session }
        let live = try await store.allocations(.live)
        let hosts = try await store.hosts(.all)
        var parts: [PartReport] = []
        for _ in 0..<number(0..<5) {
            if once(in: 8) {
                parts.append(orphan())
            } else if let id = once(in: 8) ? pick(allocations) : pick(live)?.id {
                let host = live.first { $0.id == id }?.host
                let name = hosts.first { $0.id == host }?.name ?? name(of: Self.hosts)
                let states: [PartReport.State] = [.starting, .running, .running, .stopped, .failed]
                parts.append(
                    PartReport(
                        host: name, allocation: id, generation: Generation(epoch: 1, number: 1),
                        state: pick(states) ?? .running, exitCode: 0))
            }
        }
        sequence += once(in: 10) ? 0 : 1
        let report = SessionReport(
            session: session, incarnation: (known?.incarnation ?? 0) - (once(in: 15) ? 1 : 0),
            sequence: sequence, parts: parts, unreachable: once(in: 6) ? [name(of: Self.hosts)] : [])
        return Operation("report \(sequence) of \(parts.map { "\($0.host) \($0.state)" })") { harness in
            try await harness.store.report(report).map { "\($0.host) \($0.allocation) \($0.reason)" }
                .joined(separator: ", ")
        }
    }

    private mutating func orphan() -> PartReport {
        let id: ID<Allocation> = ids.id()
        let host = name(of: Self.hosts)
        let workload = WorkloadReference(
            kind: .vm, uid: ids.id(), project: name(of: Self.projects), name: "lost\(number(0..<9))",
            part: "vm")
        let directive = PartDirective(
            allocation: id, workload: workload, action: .run,
            resources: Resources(milliCPU: 2000, memoryMiB: 1024), devices: ["\(host)-0"], onPartition: .keep)
        return PartReport(
            host: host, allocation: id, generation: Generation(epoch: 1, number: 1),
            state: pick([PartReport.State.running, .starting, .stopped]) ?? .running,
            directive: once(in: 3) ? nil : directive)
    }
}
