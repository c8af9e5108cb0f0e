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
        router.get("/v1/starts") { request, _ in
            let text = request.uri.queryParameters["since"].map(String.init) ?? "1970-01-01T00:00:00Z"
            guard let since = Timestamp(text) else {
                throw Problem(
                    .malformedRequest,
                    detail: "since is \"\(text.prefix(80))\"; write RFC 3339, such as 2026-01-02T03:04:05Z")
            }
            // Nothing is older, and years that Postgres does not know stay away from it.
            let begin = max(since, Timestamp(seconds: 0))
            let lives = try await self.store.vmLives(since: begin, limit: Self.livesLooked)
            return try JSONAnswer.response(StartStatistics(lives))
        }
        router.get("/v1/cluster") { _, _ in try JSONAnswer.response(try await self.summary()) }
        router.get("/v1/check") { _, _ in try JSONAnswer.response(try await self.check(nil)) }
        router.post("/v1/check") { request, _ in
            let journals: CheckRequest = try await RequestReader.read(request, upTo: RequestLimit.agentBytes)
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

    /// VMs that start statistics look at: an hour at 100 creations a second is a third of it.
    private static let livesLooked = 1_000_000

    private func summary() async throws -> ClusterSummary {
        let state = try await store.clusterState()
        let now = try await store.now()
        let waiting = try await store.countWaitingVMs()
        let leases = try await store.leases()
        return ClusterSummary(
            epoch: state.epoch, schemaVersion: state.schemaVersion, fleetTime: state.fleetTime(at: now),
            fleetRate: state.fleetRate,
            cells: try await store.cellTotals().map { Self.summary($0, waiting: waiting[$0.cell] ?? 0) },
            controllers: leases.map {
                .init(cell: $0.lease.cell, holder: $0.holder, token: $0.lease.token, expiresAt: $0.expiresAt)
            })
    }

    private static func summary(_ totals: CellTotals, waiting: Int) -> ClusterSummary.CellSummary {
        .init(
            name: totals.cell, hosts: totals.hosts, readyHosts: totals.readyHosts,
            emptyHosts: totals.emptyHosts,
            capacity: totals.capacity, used: totals.used, devices: totals.devices,
            usedDevices: totals.usedDevices,
            allocations: totals.allocations, runningVMs: totals.running, pendingVMs: waiting,
            packingDensityPct: totals.busyMilliCPU == 0
                ? nil : Double(totals.used.milliCPU) * 100 / Double(totals.busyMilliCPU))
    }
}

extension RunEvidence {
    init(_ run: JournalRun) {
        self.init(
            host: run.host, allocation: run.allocation, workload: run.workload, part: run.part,
            from: run.from, to: run.to)
    }
}
