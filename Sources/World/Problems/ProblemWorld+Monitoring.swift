internal import FaultLab
internal import Fleet
internal import Store

extension ProblemWorld {
    /// For how long a failed start, or a VM that ended by itself, is told of.
    private static let toldFor = Duration.seconds(240)

    /// What exporters beside the fleet say now. They stand apart from the control plane, and see processes,
    /// machines, paths and the database as probes do.
    func read() async -> FleetReading {
        var reading = FleetReading()
        readDatabase(&reading)
        readControllers(&reading)
        for machine in world.machines { readMachine(machine, &reading) }
        readSurroundings(&reading)
        do {
            for host in try await world.store.hosts(.all) { readHost(host, &reading) }
            readExits(&reading)
            for pool in try await world.store.all(.pool) {
                let ratio = try await ratio(of: pool)
                reading.set(ComponentName(kind: "policy", pool.metadata.name), "cpu_ratio", ratio)
            }
        } catch {
            world.fail("monitoring: \(error)")
        }
        return reading
    }

    private func readDatabase(_ reading: inout FleetReading) {
        let condition = world.conditions.store
        let database = ComponentName("db/primary")
        reading.set(database, "db_up", condition.isDown ? 0 : 1)
        reading.set(database, "db_writable", condition.isReadOnly ? 0 : 1)
        reading.set(database, "db_call_seconds", 0.001 + condition.delay.inSeconds * (0.4 + 0.2 * flutter()))
        reading.set(database, "db_conflicts", condition.conflict * (0.9 + 0.1 * flutter()))
        reading.set(database, "db_broken_commits", condition.unknownOutcome * (0.9 + 0.1 * flutter()))
    }

    private func readControllers(_ reading: inout FleetReading) {
        for seat in world.seats {
            let name = ComponentName(kind: "controller", seat.name)
            let own = active.values.filter { $0.fault.target.name == seat.name }.map(\.fault.kind)
            reading.set(name, "controller_up", seat.current == nil ? 0 : 1)
            reading.set(name, "controller_stopped", own.contains(.controllerStall) ? 1 : 0)
        }
    }

    private func readMachine(_ machine: Machine, _ reading: inout FleetReading) {
        let name = machine.name.host
        let host = ComponentName(kind: "host", name)
        let agent = ComponentName(kind: "agent", name)
        let path = ComponentName(kind: "path", "controller<->\(name)")
        let own = active.values.filter { $0.hosts.contains(name) }.map(\.fault.kind)
        reading.set(host, "host_power", machine.isOff ? 0 : 1)
        let answers = !machine.isOff && !own.contains(.hostUnreachable)
        reading.set(host, "host_answers", answers || machine.isOff ? 1 : 0)
        // The exporter of processes runs on the machine, and says nothing without it.
        if answers {
            reading.set(agent, "agent_process", own.contains(.agentCrash) ? 0 : 1)
            reading.set(agent, "agent_stopped", own.contains(.agentHang) ? 1 : 0)
            reading.set(host, "clock_offset_seconds", machine.wall.since(world.wall).inSeconds)
            readPath(world.conditions.link(machine.index), path, &reading)
        }
        reading.set(
            agent, "starts_failed", startsFailed[name].map { now.since($0) < Self.toldFor } == true ? 1 : 0)
    }

    private func readPath(
        _ link: LinkCondition, _ path: ComponentName, _ reading: inout FleetReading
    ) {
        let loss = link.isPartitioned ? 1 : link.loss * (0.9 + 0.1 * flutter())
        reading.set(path, "probe_loss", loss)
        reading.set(path, "probe_answer_loss", link.losesAnswers ? 1 : 0)
        reading.set(path, "probe_doubled", link.duplication)
        reading.set(path, "probe_seconds", 0.0004 + 0.0002 * flutter() + link.delay.inSeconds)
    }

    private func readHost(_ host: HostRecord, _ reading: inout FleetReading) {
        let name = ComponentName(kind: "host", host.name)
        reading.set(
            ComponentName(kind: "agent", host.name), "agent_heard", host.contact == .ready ? 1 : 0)
        let before = memory[host.name] ?? Self.size(host)
        reading.set(name, "inventory_share", before > 0 ? Self.size(host) / before : 1)
        let declared = ProblemFleet.declaredLabel
        let label = host.labels[declared.key]
        reading.set(name, "label_as_declared", label == nil || label == declared.value ? 1 : 0)
        reading.set(name, "memory_used_mib", Double(host.room.usedMemoryMiB))
    }

    private func readExits(_ reading: inout FleetReading) {
        for (name, times) in exits {
            let recent = times.filter { now.since($0) < Self.toldFor }
            exits[name] = recent.isEmpty ? nil : recent
            reading.set(ComponentName(kind: "vm", name), "vm_restarts", Double(recent.count))
        }
    }

    private func ratio(of pool: Resource) async throws -> Double {
        let hosts = try await world.store.hosts(.all).filter { $0.pool == pool.metadata.name }
        return Double(hosts.map(\.room.cpuRatioPerMille).max() ?? 1000)
    }

    // MARK: Events

    /// Events that are kept.
    private static let keptEvents = 2000

    func hearEvents() async {
        do {
            let found = try await world.store.events(EventQuery(after: lastEvent, limit: 1000))
            for event in found {
                lastEvent = max(lastEvent, event.id)
                let component = ComponentName(
                    kind: event.kind.rawValue.lowercased(), event.name)
                events.append(
                    EventLine(
                        at: event.at, component: component, reason: event.reason.rawValue,
                        message: event.message))
                if event.reason == .startFailed { startFailed(event) }
                if event.kind == .vm, event.reason == .exited {
                    exits[event.name, default: []].append(event.at)
                }
            }
            if events.count > Self.keptEvents { events.removeFirst(events.count - Self.keptEvents) }
        } catch {
            world.fail("events: \(error)")
        }
    }

    /// The host is in the name of what was to run there, or in what the event says.
    private func startFailed(_ event: EventRecord) {
        let machines = world.configuration.machines.map(\.host)
        guard
            let host = machines.first(where: {
                event.name.hasPrefix("task-\($0)-") || event.message.contains($0)
                    || event.source.hasSuffix("/\($0)")
            })
        else { return }
        startsFailed[host] = event.at
    }
}
