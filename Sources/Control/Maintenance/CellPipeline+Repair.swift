internal import Fleet
internal import Foundation
internal import Logging
internal import Store

/// What the pipeline remembers of devices and repairs.
struct RepairKeeping {
    /// Of the uptime.
    var lookedAt: Duration?
    /// Hosts that something was said of, with what their workloads were told of: verdicts by device.
    var told: [ID<Document>: [String: DeviceVerdict]] = [:]
    /// Hosts with a condition that is to be taken back when all is well.
    var watched: Set<ID<Document>> = []
    /// Hosts that would be taken out if fewer were.
    var held: Set<ID<Document>> = []
    /// Hosts out of service to be mended, or that have to show it.
    var inRepair = 0
}

extension CellPipeline {
    /// Says what is the matter with devices, takes hosts out of service that are to be mended, and back.
    ///
    /// A device that is not sound takes nothing new as soon as the ledger knows it: that needs nobody here.
    func repair() async throws -> Bool {
        let uptime = time.uptime()
        if let lookedAt = repairs.lookedAt, uptime - lookedAt < limits.repairEvery { return false }
        repairs.lookedAt = uptime
        let hosts = model.hosts.values.filter { host in
            host.cordoned || host.draining || repairs.watched.contains(host.id)
                || host.devices.contains { $0.complaint != nil }
        }.sorted { $0.id < $1.id }
        guard !hosts.isEmpty else {
            repairs.inRepair = 0
            return false
        }
        let documents = Dictionary(
            try await store.documents(.host, uids: hosts.map(\.id)).map { ($0.metadata.uid, $0) },
            uniquingKeysWith: { first, _ in first })
        let specs = try documents.mapValues {
            try JSONDecoder().decode(HostSpec.self, from: Data($0.spec.utf8))
        }
        var open = specs.values.count { $0.repair?.evidence != nil && $0.repair?.state != .waived }
        repairs.inRepair = specs.values.count { $0.repair != nil && $0.repair?.state != .waived }
        let most =
            limits.repairsAtMost > 0 ? max(1, Int(limits.repairsAtMost * Double(model.hosts.count))) : 0
        var worked = false
        for host in hosts {
            guard let document = documents[host.id], let spec = specs[host.id] else { continue }
            let now = time.now()
            let repairCase = RepairCase(
                host: host.name, repair: spec.repair, devices: host.devices,
                isEmpty: model.allocations(on: host.id).allSatisfy { $0.state == .released },
                isReady: host.contact == .ready, now: now, verify: limits.repairVerify, hasRoom: open < most)
            if case .open? = repairCase.step { open += 1 }
            worked = try await tell(repairCase, of: host, document) || worked
            worked = try await take(repairCase, host) || worked
        }
        return worked
    }

    // MARK: Telling

    /// Writes the conditions of a host and tells the workloads that hold its devices.
    private func tell(_ state: RepairCase, of host: HostRecord, _ document: Resource) async throws -> Bool {
        // why `try?`: a host that no agent brought yet has no status.
        guard var status = try? JSONDecoder().decode(HostStatus.self, from: Data(document.status.utf8)) else {
            return false
        }
        let verdicts = Dictionary(
            host.devices.compactMap { device in device.verdict.map { (device.uuid, $0) } },
            uniquingKeysWith: { first, _ in first })
        let before = status.conditions
        let devices = Device.condition(of: host.devices)
        let known = before.first { $0.type == .devicesHealthy }
        // A host that never had a sick device says nothing about them.
        if known != nil || devices.reason != .devicesHealthy {
            set(.devicesHealthy, devices, in: &status.conditions)
        }
        if let repair = state.condition {
            set(.repair, repair, in: &status.conditions)
        } else if before.contains(where: { $0.type == .repair && $0.reason != .repaired }) {
            set(.repair, (.no, .repaired, "back in service"), in: &status.conditions)
        }
        repairs.watched.insert(host.id)
        let changed = status.conditions.filter { condition in
            !before.contains {
                $0.type == condition.type && $0.reason == condition.reason && $0.message == condition.message
            }
        }
        guard !changed.isEmpty else {
            repairs.told[host.id] = verdicts
            if devices.reason == .devicesHealthy, state.repair == nil { repairs.watched.remove(host.id) }
            return false
        }
        let news = verdicts.filter { repairs.told[host.id]?[$0.key] != $0.value }
        try await store.appendEvents(
            changed.dropFirst().map { event($0, of: host) } + workloadEvents(news, on: host))
        try await write(status, changed[0], host, document)
        repairs.told[host.id] = verdicts
        return true
    }

    private func set(
        _ type: Condition.Aspect, _ value: (status: Condition.Status, reason: Reason, message: String),
        in conditions: inout [Condition]
    ) {
        conditions.set(
            Condition(
                type: type, status: value.status, reason: value.reason, message: value.message,
                lastTransitionTime: time.now()))
    }

    private func write(
        _ status: HostStatus, _ first: Condition, _ host: HostRecord, _ document: Resource
    ) async throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text = String(decoding: try encoder.encode(status), as: UTF8.self)
        let write = StatusWrite(
            uid: host.id, expected: document.metadata.resourceVersion, status: text,
            event: event(first, of: host))
        try await store.writeStatuses([write], lease: lease)
    }

    private func event(_ condition: Condition, of host: HostRecord) -> EventDraft {
        EventDraft(
            kind: .host, project: nil, name: host.name, uid: host.id, reason: condition.reason,
            message: condition.message, source: "hosts")
    }

    /// Whoever holds a device hears what is known against it.
    private func workloadEvents(_ news: [String: DeviceVerdict], on host: HostRecord) -> [EventDraft] {
        let health = Dictionary(host.devices.map { ($0.uuid, $0) }, uniquingKeysWith: { first, _ in first })
        return model.allocations(on: host.id).filter { $0.state != .released }.flatMap { allocation in
            allocation.devices.compactMap { uuid -> EventDraft? in
                guard news[uuid] != nil, let device = health[uuid], let reason = device.complaint else {
                    return nil
                }
                let workload = allocation.workload
                return EventDraft(
                    kind: workload.kind, project: workload.project, name: workload.name, uid: workload.uid,
                    reason: reason, message: "\(workload.part) on \(host.name): \(device.sentence)",
                    source: "hosts")
            }
        }
    }

    // MARK: Acting

    private func take(_ state: RepairCase, _ host: HostRecord) async throws -> Bool {
        guard let step = state.step else {
            repairs.held.remove(host.id)
            return false
        }
        let now = state.now
        switch step {
        case .open(let reason, let evidence), .reopen(let reason, let evidence):
            repairs.held.remove(host.id)
            try await edit(host, "repair") { $0.openRepair(reason, evidence: evidence, at: now) }
        case .close: try await edit(host, "repaired") { $0.closeRepair() }
        case .forget: try await edit(host, "repaired") { $0.repair = nil }
        case .hold(let reason):
            guard repairs.held.insert(host.id).inserted else { return false }
            let share = Int(limits.repairsAtMost * 100)
            let message = "\(reason); it stays: at most \(share) % of the cell's hosts are taken out at once"
            try await store.appendEvents([
                EventDraft(
                    kind: .host, project: nil, name: host.name, uid: host.id, reason: .repairHeld,
                    message: message, source: "hosts")
            ])
            return false
        }
        logger.notice("host repair", metadata: ["host": "\(host.name)", "step": "\(step)"])
        return true
    }

    private func edit(
        _ host: HostRecord, _ verb: String, _ change: @Sendable @escaping (inout HostSpec) -> Void
    ) async throws {
        _ = try await store.update(
            .host, project: nil, name: host.name, precondition: .none,
            context: WriteContext(actor: "controller/hosts", verb: verb)
        ) { resource in
            var spec = try JSONDecoder().decode(HostSpec.self, from: Data(resource.spec.utf8))
            change(&spec)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            resource.spec = String(decoding: try encoder.encode(spec), as: UTF8.self)
        }
    }
}
