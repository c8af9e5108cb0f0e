internal import Fleet
internal import Foundation
internal import Store
internal import VMPlacement

/// What the documents of workloads say of them.
extension CellPipeline {
    func status(of vm: VMRecord, allocation: Allocation?, now: Timestamp) -> VMStatus {
        let record = allocation.flatMap { model.hosts[$0.host] }
        let host = record.map { (name: $0.name, contact: $0.contact) }
        let isHeld = record.map { model.heldZones.contains($0.domain.zone) } ?? false
        let blocked = vm.blockedAt == nil ? nil : vm.explanation
        return VMStatus.derived(
            from: vm.status, metadata: vm.metadata, allocation: allocation, host: host, isHeld: isHeld,
            blocked: blocked, refusal: vm.refusal,
            target: allocation.flatMap(model.standby).flatMap { model.hosts[$0.host]?.name }, now: now)
    }

    /// Statuses of the workloads that a plan touches, as it leaves them.
    func statuses(after plan: Plan) throws -> [ID<Document>: String] {
        var statuses: [ID<Document>: String] = [:]
        var parted: [ID<Document>: [Directive]] = [:]
        for directive in plan.groups.flatMap(\.directives) {
            guard let allocation = allocation(after: directive) else { continue }
            let uid = allocation.workload.uid
            if let vm = model.vms[uid] {
                statuses[uid] = try Self.encoded(status(of: vm, allocation: allocation, now: plan.createdAt))
            } else if model.parted[uid] != nil {
                parted[uid, default: []].append(directive)
            }
        }
        for (uid, directives) in parted {
            let parts = model.parts(of: uid, after: directives)
            statuses[uid] = try model.parted[uid]?.settled(parts, now: plan.createdAt)?.status
        }
        return statuses
    }

    /// Notes that the ledger refused a workload.
    func refuse(_ uid: ID<Document>, _ reason: Reason, now: Timestamp) {
        if model.parted[uid] != nil {
            model.parted[uid]?.refused(reason, now: now)
            model.dirty.insert(uid)
        } else if reason == .quotaExceeded {
            model.refuse(uid, reason)
        }
    }

    /// Brings the documents of touched workloads to what the ledger says: statuses, and the end of deleted
    /// ones.
    func settle() async throws -> Bool {
        guard !model.dirty.isEmpty else { return false }
        let now = time.now()
        var writes: [StatusWrite] = []
        var ended: [ID<Document>] = []
        var done: [ID<Document>] = []
        if settling.isEmpty { settling = model.dirty.sorted()[...] }
        while writes.count + ended.count < limits.statusesPerWrite, done.count < limits.statusesPerLook,
            let uid = settling.popFirst()
        {
            done.append(uid)
            guard model.dirty.contains(uid), !model.isLost(uid) else { continue }
            if model.deleting.contains(uid), model.writers(of: uid).isEmpty {
                ended.append(uid)
            } else if let write = try statusWrite(of: uid, now: now) {
                writes.append(write)
            }
        }
        if !writes.isEmpty { try await store.writeStatuses(writes, lease: lease) }
        if !ended.isEmpty {
            for uid in try await store.finalize(ended, lease: lease) {
                model.drop(vm: uid)
                model.drop(workload: uid)
            }
        }
        model.dirty.subtract(done)
        return !writes.isEmpty || !ended.isEmpty || !model.dirty.isEmpty
    }

    private func statusWrite(of uid: ID<Document>, now: Timestamp) throws -> StatusWrite? {
        if let vm = model.vms[uid] {
            let next = status(of: vm, allocation: model.writer(of: uid), now: now)
            guard next != vm.status else { return nil }
            return StatusWrite(
                uid: uid, expected: vm.metadata.resourceVersion, status: try Self.encoded(next),
                event: event(for: vm, next))
        }
        guard let workload = model.parted[uid],
            let settlement = try workload.settled(model.parts(of: uid), now: now)
        else { return nil }
        let event = settlement.event.map {
            EventDraft(
                kind: workload.kind, project: workload.metadata.project, name: workload.metadata.name,
                uid: uid, reason: $0.reason, message: $0.message, source: workload.engine.rawValue)
        }
        return StatusWrite(
            uid: uid, expected: workload.metadata.resourceVersion, status: settlement.status, event: event)
    }

    /// The ledger writes events for what it does; only what it cannot know is said here.
    private func event(for vm: VMRecord, _ next: VMStatus) -> EventDraft? {
        let reason: Reason
        let message: String
        switch (vm.status.state, next.state) {
        case (_, .pending) where vm.refusal != nil && next.conditions != vm.status.conditions:
            reason = vm.refusal ?? .waitingForPlacement
            message = reason.refusalSentence
        case (_, .pending) where vm.explanation != nil && next.conditions != vm.status.conditions:
            reason = .noHostFits
            message = vm.explanation?.sentence ?? ""
        case (let before, .unknown) where before != .unknown:
            reason = .hostLost
            message = "host \(next.host ?? "") lost contact; the VM is kept there"
        default: return nil
        }
        return EventDraft(
            kind: .vm, project: vm.metadata.project, name: vm.metadata.name, uid: vm.metadata.uid,
            reason: reason,
            message: message, source: "vms")
    }

    static func encoded(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
