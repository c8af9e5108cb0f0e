internal import Fleet
internal import Foundation
internal import Store

extension CellPipeline {
    /// Cordons hosts that are lost again and again, so that nothing is placed there when they come back.
    ///
    /// What a zone loses at once is the fault of something else, which the breaker has noticed.
    func cordonFlapping(_ judgement: HostJudgement) async throws {
        for id in judgement.suspected {
            guard let host = model.hosts[id], !judgement.tripped.contains(host.domain.zone), !host.cordoned,
                !host.draining, try await isFlapping(host.name)
            else { continue }
            let minutes = Int(limits.flapWindow.inSeconds / 60)
            let reason = "lost \(limits.flaps) times within \(minutes) min; uncordon it when it is mended"
            _ = try await store.update(
                .host, project: nil, name: host.name, precondition: .none,
                context: WriteContext(actor: "controller/hosts", verb: "cordon")
            ) { resource in
                var spec = try JSONDecoder().decode(HostSpec.self, from: Data(resource.spec.utf8))
                spec.cordoned = true
                spec.cordonReason = reason
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
                resource.spec = String(decoding: try encoder.encode(spec), as: UTF8.self)
            }
            try await store.appendEvents([
                EventDraft(
                    kind: .host, project: nil, name: host.name, uid: id, reason: .flapping, message: reason,
                    source: "hosts")
            ])
        }
    }

    /// Counted from the event log, since the last time that somebody took the host back into service.
    private func isFlapping(_ name: String) async throws -> Bool {
        func last(_ reason: Reason, _ limit: Int) async throws -> [EventRecord] {
            try await store.events(EventQuery(kind: .host, name: name, reason: reason, limit: limit))
        }
        let mended = try await last(.uncordoned, 1).last?.at
        let since = time.now().advanced(by: .zero - limits.flapWindow)
        let losses = try await last(.hostSuspect, limits.flaps)
        return losses.count { $0.at > max(since, mended ?? since) } >= limits.flaps
    }
}
