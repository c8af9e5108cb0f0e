internal import FaultLab
internal import Fleet
internal import Foundation
internal import NodeAgent
internal import Store

extension ProblemWorld {
    func act(_ write: WriteAction) async throws -> Observation {
        let answer = try await carryOut(write)
        guard answer.status == .ok else { return answer }
        let helped = await remedy(write)
        if !helped, write.verb == .requestRepair {
            return .message("Nothing was found to repair at \(write.object).")
        }
        return answer
    }

    /// Ends the faults that the action is a remedy for.
    private func remedy(_ write: WriteAction) async -> Bool {
        var helped = false
        for fault in active.values.sorted(by: { $0.fault.id < $1.fault.id }) {
            if fault.model != nil {
                if await cure(fault, write) { helped = true }
                continue
            }
            guard let remedy = fault.fault.remedy(write, hosts: Set(fault.hosts)),
                active[fault.fault.id] != nil
            else { continue }
            await end(fault)
            await pass(.seconds(remedy.seconds))
            helped = true
        }
        return helped
    }

    private func carryOut(_ write: WriteAction) async throws -> Observation {
        if let answer = modelled(write) { return answer }
        let name = write.object.path
        switch write.verb {
        case .cordon, .uncordon, .drain, .setLabel: return try await document(write, host: name)
        case .restartAgent, .upgradeAgent, .rebootHost: return machine(write, name)
        case .restartController:
            guard let seat = world.seats.first(where: { $0.name == name }) else { return unknown(write) }
            seat.crash(until: (world.now + .seconds(5)).microseconds)
            return .message("\(name) restarts.")
        case .evacuate, .restartWorkload, .deleteWorkload, .setWorkload:
            return try await workload(write, name)
        case .rollbackPolicy: return try await rollBack(name)
        case .silenceAlert:
            monitor.silenced.insert(name)
            return .message("\(name) is silent.")
        case .requestRepair:
            await pass(.seconds(60))
            return .message("\(write.object) was looked after.")
        case .failoverDatabase:
            await pass(.seconds(10))
            return .message("The standby is the primary now.")
        case .tuneDatabase: return .message("\(write.object) is as its document says.")
        case .terminateDatabaseSession: return .message("There is no such session.", status: .error)
        default:
            return .message("\(write.verb.rawValue) has nothing to do in this fleet.", status: .blocked)
        }
    }

    private func unknown(_ write: WriteAction) -> Observation {
        .message("There is no \(write.object.description.prefix(80)).", status: .error)
    }

    private func document(_ write: WriteAction, host: String) async throws -> Observation {
        let done = "\(write.verb.rawValue) \(host): done."
        let path = "hosts/\(Self.escaped(host))"
        guard write.verb != .setLabel else {
            guard let key = write.text("key"), let value = write.text("value"), !key.isEmpty else {
                return .message("Give a key and a value.", status: .error)
            }
            return try await door.patch(path, ["metadata": ["labels": [key: value]]]).observation(done)
        }
        let body = #"{"reason":"by an agent"}"#
        return try await door.send("POST", "\(path)/\(write.verb.rawValue)", body).observation(done)
    }

    /// Names come from agents, and stand in a path.
    private static func escaped(_ name: String) -> String {
        name.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(["-", "."])) ?? ""
    }

    private func machine(_ write: WriteAction, _ name: String) -> Observation {
        guard let machine = world.machines.first(where: { $0.name.host == name }) else {
            return unknown(write)
        }
        switch write.verb {
        case .rebootHost: machine.powerOff(until: (world.now + .seconds(60)).microseconds)
        default:
            guard !machine.isOff else { return .message("no answer from \(name)", status: .error) }
            machine.crashAgent(until: (world.now + .seconds(2)).microseconds)
        }
        return .message("\(write.verb.rawValue) \(name): under way.")
    }

    private func workload(_ write: WriteAction, _ name: String) async throws -> Observation {
        guard ["vm", ""].contains(write.object.kind) || write.object.path.isEmpty,
            let vm = try await world.store.document(
                .vm, project: "team", name: name.isEmpty ? write.object.description : name)
        else { return unknown(write) }
        let status = try Self.status(vm)
        switch write.verb {
        case .deleteWorkload:
            let answer = try await door.send(
                "DELETE", "projects/team/vms/\(vm.metadata.name)", ifMatch: "*")
            guard !answer.isRefused else { return answer.observation("") }
            lost.append(vm.metadata.name)
        case .restartWorkload:
            guard let host = status.host, let allocation = status.allocation,
                let machine = world.machines.first(where: { $0.name.host == host })
            else { return .message("\(vm.metadata.name) does not run.", status: .error) }
            try machine.runtime?.simulated.crash(allocation, exitCode: 0, message: "restarted")
        case .setWorkload:
            guard write.text("field") == "command", let command = write.text("value"), !command.isEmpty else {
                return .message("Only the command can be set here.", status: .blocked)
            }
            return try await replace(vm, command: command)
        default: return .message("VMs of this fleet move when their host is drained.", status: .blocked)
        }
        return .message("\(write.verb.rawValue) \(vm.metadata.name): done.")
    }

    /// What a VM runs never changes: it is deleted and created again, as a tenant would.
    private func replace(_ vm: Resource, command: String) async throws -> Observation {
        let name = vm.metadata.name
        let path = "projects/team/vms"
        var spec = try JSONDecoder().decode(VMSpec.self, from: Data(vm.spec.utf8))
        spec.run = RunSpec(command: command.split(separator: " ").map(String.init))
        let deleted = try await door.send("DELETE", "\(path)/\(name)", ifMatch: "*")
        guard !deleted.isRefused else { return deleted.observation("") }
        let deadline = world.now + Self.longestDeletion
        while try await world.store.document(.vm, project: "team", name: name) != nil {
            guard world.now < deadline else {
                lost.append(name)
                return .message("\(name) is still being deleted.", status: .error)
            }
            await pass(.seconds(5))
        }
        let draft = Draft(metadata: ["name": name], spec: spec)
        let created = try await door.send("POST", path, try Workload.text(draft))
        if created.isRefused { lost.append(name) }
        return created.observation("\(name) was created again with the command.")
    }

    private static let longestDeletion = Duration.seconds(300)

    private struct Draft: Encodable {
        var apiVersion = "basalt/v1"
        var kind = "VM"
        var metadata: [String: String]
        var spec: VMSpec
    }

    private func rollBack(_ name: String) async throws -> Observation {
        guard let before = former[name] else {
            return .message("There is no former revision of \(name.prefix(60)).", status: .error)
        }
        let spec = try JSONDecoder().decode(ActionValue.self, from: Data(before.utf8))
        return try await door.patch("pools/\(name)", ["spec": spec])
            .observation("The former revision of \(name) is current.")
    }
}
