internal import APITypes
internal import Control
internal import Fleet
internal import Foundation
internal import Hummingbird
internal import Store

/// The fleet in one screen, probes and the version.
struct ClusterRoutes {
    let store: any Store
    let time: Timekeeper

    func add(to router: some RouterMethods<APIContext>) {
        router.get("/healthz") { _, _ in JSONAnswer.response("{\"status\":\"ok\"}") }
        router.get("/readyz") { _, _ in
            // Ready means that a request would be served: the database answers.
            _ = try await self.store.now()
            return JSONAnswer.response("{\"status\":\"ok\"}")
        }
        router.get("/v1/version") { _, _ in
            let state = try await self.store.clusterState()
            return try JSONAnswer.response(
                VersionResponse(
                    version: ProductVersion.current, api: WireDocument.apiVersion, schema: state.schemaVersion
                ))
        }
        router.get("/v1/cluster") { _, _ in try JSONAnswer.response(try await self.summary()) }
        router.get("/v1/check") { _, _ in try JSONAnswer.response(try await self.check(nil)) }
        router.post("/v1/check") { request, _ in
            let body = try await request.body.collect(upTo: RequestLimit.agentBytes)
            let journals: CheckRequest = try DraftReader.decode(Data(body.readableBytesView), field: "")
            return try JSONAnswer.response(try await self.check(journals))
        }
    }

    /// A violation is only believed of a fleet that held still while it was read.
    private func check(_ journals: CheckRequest?) async throws -> CheckResponse {
        var snapshot = try await FleetSnapshot.load(from: store)
        if let journals {
            snapshot.take(journals.runs.map(RunEvidence.init), readAt: journals.readAt)
        }
        let report = CheckReport(snapshot)
        guard snapshot.isStable || report.violations.isEmpty else {
            throw Problem(.unavailable, detail: "the fleet changed while it was read; try again")
        }
        var counts = [
            "hosts": snapshot.hosts.count, "allocations": snapshot.allocations.count,
            "workloads": snapshot.workloads.count, "plans": snapshot.plans.count,
            "events": snapshot.events.count, "changes": snapshot.feed.count,
        ]
        if let journals { counts["runs"] = journals.runs.count }
        return CheckResponse(
            checkedAt: try await store.now(), counts: counts, violations: report.violations)
    }

    private func summary() async throws -> ClusterSummary {
        let state = try await store.clusterState()
        let now = try await store.now()
        let hosts = Dictionary(grouping: try await store.hosts(.all), by: \.cell)
        let allocations = Dictionary(grouping: try await store.allocations(.live), by: \.cell)
        let waiting = try await store.countWaitingVMs()
        let names = try await store.list(ListQuery(kind: .cell, limit: 1000)).documents.map(\.metadata.name)
        let leases = try await store.leases()
        return ClusterSummary(
            epoch: state.epoch, schemaVersion: state.schemaVersion, fleetTime: state.fleetTime(at: now),
            fleetRate: state.fleetRate,
            cells: names.map { name in
                Self.summary(name, hosts[name] ?? [], allocations[name] ?? [], waiting: waiting[name] ?? 0)
            },
            controllers: leases.map {
                .init(cell: $0.lease.cell, holder: $0.holder, token: $0.lease.token, expiresAt: $0.expiresAt)
            })
    }

    private static func summary(
        _ name: String, _ hosts: [HostRecord], _ allocations: [Allocation], waiting: Int
    ) -> ClusterSummary.CellSummary {
        let busy = Set(allocations.map(\.host))
        var capacity = Resources.zero
        var used = Resources.zero
        var busyCPU = 0
        for host in hosts {
            capacity += host.room.total - host.room.reserved
            used += Resources(milliCPU: host.room.consumedMilliCPU, memoryMiB: host.room.usedMemoryMiB)
            if busy.contains(host.id) { busyCPU += host.room.total.milliCPU - host.room.reserved.milliCPU }
        }
        return .init(
            name: name, hosts: hosts.count, readyHosts: hosts.count { $0.contact == .ready },
            emptyHosts: hosts.count { !busy.contains($0.id) }, capacity: capacity, used: used,
            devices: hosts.reduce(0) { $0 + $1.devices.count },
            usedDevices: hosts.reduce(0) { $0 + $1.takenDevices.count }, allocations: allocations.count,
            runningVMs: allocations.count { $0.state == .active }, pendingVMs: waiting,
            packingDensityPct: busyCPU == 0 ? nil : Double(used.milliCPU) * 100 / Double(busyCPU))
    }
}

extension RunEvidence {
    init(_ run: JournalRun) {
        self.init(
            host: run.host, allocation: run.allocation, workload: run.workload, part: run.part,
            from: run.from, to: run.to)
    }
}
