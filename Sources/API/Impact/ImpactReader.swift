internal import APITypes
internal import FaultLab
internal import Fleet
internal import Store

/// Puts together whom an incident hit, from events and the ledger: nothing is kept for it.
struct ImpactReader {
    let store: any Store

    enum Limit {
        /// Events of one host that are looked through for what was the matter.
        static let hostEvents = 500
        /// Allocations of a cell that ended and are looked through for those of the host.
        static let ended = 2000
        static let workloads = 200
        /// Of one workload.
        static let steps = 20
    }

    /// What takes something away from workloads, and how far: everything on the host, or its devices.
    private static let causes: [Reason: Bool] = [
        .deviceNoted: false, .deviceDegraded: false, .deviceFailed: false, .devicesMissing: false,
        .repairRequested: true, .hostSuspect: true, .hostFenced: true, .flapping: true,
    ]
    /// What ends an incident: what came before is another one.
    private static let ends: Set<Reason> = [
        .repaired, .devicesHealthy, .hostReturned, .hostReady, .hostJoined,
    ]

    /// Of the last incident of a host, or of all that was the matter since a time.
    func impact(ofHost host: HostRecord, since: Timestamp?) async throws -> ImpactReport {
        let events = try await store.events(
            EventQuery(kind: .host, name: host.name, limit: Limit.hostEvents))
        let causes = Self.causes(in: events, since: since)
        guard let start = since ?? causes.first?.at else {
            return ImpactReport(subject: "host/\(host.name)", since: nil, causes: [], workloads: [])
        }
        let (hits, isCut) = try await hits(on: host, causes: causes, from: causes.first?.at ?? start)
        return ImpactReport(
            subject: "host/\(host.name)", since: causes.first?.at,
            causes: causes.map {
                .init(at: $0.at, host: host.name, reason: $0.reason, message: $0.message)
            },
            workloads: hits, isCut: isCut)
    }

    /// Of a fault that was injected: what ran on the hosts of its targets from its beginning to its end.
    func impact(of fault: FaultRecord) async throws -> ImpactReport {
        let names = Set(fault.targets.filter { $0.injectedCount > 0 }.flatMap(\.hosts))
        let hosts = try await store.hosts(.all).filter { names.contains($0.name) }
        var report = ImpactReport(
            subject: "fault/\(fault.name)", since: fault.createdAt, causes: [], workloads: [])
        for host in hosts.sorted(by: { $0.name < $1.name }) {
            let events = try await store.events(
                EventQuery(kind: .host, name: host.name, limit: Limit.hostEvents))
            let causes = Self.causes(in: events, since: fault.createdAt)
            report.causes += causes.map {
                .init(at: $0.at, host: host.name, reason: $0.reason, message: $0.message)
            }
            let (hits, isCut) = try await hits(
                on: host, causes: causes, from: fault.createdAt, until: fault.finishedAt,
                otherwise: "\(fault.spec.kind.rawValue) was injected on \(host.name)")
            report.workloads += hits
            report.isCut = report.isCut || isCut
        }
        report.causes.sort { ($0.at, $0.host) < ($1.at, $1.host) }
        if report.workloads.count > Limit.workloads {
            report.workloads = Array(report.workloads.prefix(Limit.workloads))
            report.isCut = true
        }
        return report
    }

    /// Oldest first. Without a time the causes of the last incident: from the newest on, until something
    /// says that all was well before.
    static func causes(in events: [EventRecord], since: Timestamp?) -> [EventRecord] {
        let newest = events.sorted { $0.id > $1.id }
        var causes: [EventRecord] = []
        for event in newest {
            if let since, event.at < since { break }
            if since == nil, !causes.isEmpty, ends.contains(event.reason) { break }
            if Self.causes[event.reason] != nil { causes.append(event) }
        }
        return causes.reversed()
    }

    private func hits(
        on host: HostRecord, causes: [EventRecord], from start: Timestamp, until end: Timestamp? = nil,
        otherwise: String? = nil
    ) async throws -> (hits: [ImpactReport.Hit], isCut: Bool) {
        let live = try await store.allocations(.hosts([host.id]))
        let ended = try await store.allocations(.ended(cell: host.cell, limit: Limit.ended))
            .filter { $0.host == host.id && ($0.releasedAt ?? start) >= start }
        let last = end ?? causes.last?.at
        let here = (live + ended).filter { allocation in last.map { allocation.createdAt <= $0 } ?? true }
            .sorted { $0.id < $1.id }
        var hits: [ImpactReport.Hit] = []
        for allocation in here {
            guard let why = Self.why(allocation, causes, otherwise) else { continue }
            guard hits.count < Limit.workloads else { return (hits, true) }
            let workload = allocation.workload
            hits.append(
                ImpactReport.Hit(
                    kind: workload.kind, project: workload.project, name: workload.name, part: workload.part,
                    host: host.name, devices: allocation.devices, allocation: allocation.id,
                    state: allocation.state, reason: why.reason, message: why.message,
                    done: try await steps(of: workload, from: start)))
        }
        return (hits, false)
    }

    /// Nil of an allocation that nothing was taken from. The gravest cause counts, and then the first.
    static func why(
        _ allocation: Allocation, _ causes: [EventRecord], _ otherwise: String?
    ) -> (reason: Reason, message: String)? {
        let byDevice = causes.filter { cause in
            Self.causes[cause.reason] == false && allocation.devices.contains { cause.message.contains($0) }
        }
        if let worst = byDevice.last { return (worst.reason, worst.message) }
        // One that came after a cause of the whole host came although of it.
        let ofHost = causes.first { cause in
            Self.causes[cause.reason] == true && allocation.createdAt <= cause.at
                && (allocation.releasedAt.map { $0 >= cause.at } ?? true)
        }
        if let ofHost { return (ofHost.reason, ofHost.message) }
        return otherwise.map { (.updated, $0) }
    }

    private func steps(of workload: WorkloadReference, from start: Timestamp) async throws
        -> [ImpactReport.Step]
    {
        try await store.events(
            EventQuery(
                kind: workload.kind, project: workload.project, name: workload.name, limit: Limit.steps)
        ).filter { $0.at >= start }.sorted { $0.id < $1.id }.map {
            ImpactReport.Step(at: $0.at, reason: $0.reason, message: $0.message)
        }
    }
}
