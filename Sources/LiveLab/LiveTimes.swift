internal import APITypes
public import FaultLab
internal import Client
internal import Fleet
internal import Foundation

/// How long a live fleet takes to see a fault and to get over it.
public struct LiveTimes: Sendable, Hashable {
    /// From the fault to the host being called suspect, to its being fenced, and to its workloads running
    /// elsewhere; seconds.
    public var detected: Double?
    public var fenced: Double?
    public var restarted: Double
}

extension LiveFleet {
    /// A workload that may be started elsewhere loses its host.
    ///
    /// - Parameter kind: `agentCrash` or `linkPartition`.
    /// - Throws: `LiveFleetError` when the fleet does not get over it.
    public func timesOfLosingHost(_ kind: FaultKind, run: Int) async throws -> LiveTimes {
        let vms = Collection(.vm, project: Self.project)
        let name = "stop-\(run)"
        let spec = VMSpec(
            cell: "east", resources: Resources(milliCPU: 100, memoryMiB: 64), onPartition: .stop,
            run: RunSpec(command: Self.command))
        _ = try await client.create(
            WireDraft(kind: Kind.vm.rawValue, metadata: .init(name: name), spec: try .of(spec)), in: vms)
        var before = ""
        try await Self.wait("\(name) runs") {
            let status = try await self.status(name)
            before = status?.host ?? ""
            return status?.state == .running
        }
        let target = FaultTarget(kind == .agentCrash ? .agent : .link, before)
        let fault = "times-\(run)-\(kind.rawValue.lowercased())"
        let began = try await inject(fault, kind, target)
        var (detected, fenced): (Double?, Double?) = (nil, nil)
        var restarted = 0.0
        try await Self.wait("\(name) runs elsewhere", within: .seconds(300)) {
            let contact = try await self.contact(before)
            if contact != .ready, detected == nil { detected = Self.seconds(since: began) }
            if contact == .fenced, fenced == nil { fenced = Self.seconds(since: began) }
            let status = try await self.status(name)
            guard status?.state == .running, status?.host != before else { return false }
            restarted = Self.seconds(since: began)
            return true
        }
        try await end(fault)
        _ = try await client.delete(name, in: vms)
        return LiveTimes(detected: detected, fenced: fenced, restarted: restarted)
    }

    /// The controller that plans is killed; until a VM that is created afterwards has its host.
    public func timeOfLosingController(run: Int) async throws -> LiveTimes {
        let name = try await planner()
        let fault = "times-\(run)-controller"
        let began = try await inject(fault, .controllerCrash, FaultTarget(.controller, name))
        let restarted = try await untilScheduled("after-controller-\(run)", since: began)
        try await end(fault)
        return LiveTimes(restarted: restarted)
    }

    /// Postgres crashes and is started again at once; until a VM that is created afterwards has its host.
    public func timeOfRestartingStore(run: Int) async throws -> LiveTimes {
        let fault = "times-\(run)-store"
        let began = try await inject(fault, .storeRestart, FaultTarget(.store, "primary"))
        let restarted = try await untilScheduled("after-store-\(run)", since: began)
        try await end(fault)
        return LiveTimes(restarted: restarted)
    }

    /// The controller that plans is cut off from the store, hears it late, or loses its answers; until a VM
    /// that is created afterwards has its host, which another controller may give it.
    ///
    /// - Parameter kind: `linkPartition`, `linkDelay` or `storeOutcomeUnknown`.
    /// - Throws: `LiveFleetError` when the fleet does not get over it, or anything was planned twice.
    public func timeOfLosingStoreLink(_ kind: FaultKind, run: Int) async throws -> LiveTimes {
        let name = try await planner()
        let fault = "times-\(run)-store-\(kind.rawValue.lowercased())"
        let began = try await inject(fault, kind, FaultTarget(.controller, name))
        // The others are asked: one without its store keeps its callers waiting.
        let others = try configuration(
            ports: controllers.filter { $0.name != name }.map(\.port), limits: .standard, retry: .interactive)
        let restarted = try await RESTClient.with(others, seams: seams) { others in
            let restarted = try await untilScheduled("after-\(fault)", since: began, by: others)
            try await self.end(fault, by: others)
            return restarted
        }
        let claims = try await client.allocations().items.filter { $0.state != .released && !$0.isStandby }
        let parts = claims.map { "\($0.workload.uid) \($0.workload.part)" }
        guard Set(parts).count == parts.count else { throw LiveFleetError("a part was claimed twice") }
        try await Self.wait("\(name) follows again") {
            guard await self.metricsPage(of: name) != nil else { return false }
            return try await self.client.check().violations.isEmpty
        }
        return LiveTimes(restarted: restarted)
    }

    /// Name of the controller that holds the cell; one takes it soon after the start.
    private func planner() async throws -> String {
        var planner = ""
        try await Self.wait("somebody plans for east") {
            let leases = try await self.client.cluster().controllers.filter { $0.cell == "east" }
            guard let holder = leases.max(by: { $0.expiresAt < $1.expiresAt })?.holder,
                let name = self.controllers.map(\.name).first(where: { holder.hasPrefix($0 + "-") })
            else { return false }
            planner = name
            return true
        }
        return planner
    }

    private func metricsPage(of name: String) async -> String? {
        guard let port = controllers.first(where: { $0.name == name })?.port else { return nil }
        return await metricsPage(of: port, within: .seconds(5))
    }

    // MARK: -

    private func inject(
        _ name: String, _ kind: FaultKind, _ target: FaultTarget
    ) async throws -> ContinuousClock.Instant {
        _ = try await client.injectFault(
            FaultDraft(
                name: name,
                spec: FaultSpec(
                    kind: kind, selector: TargetSelector(names: [target]), leaseSeconds: 600)))
        // What is on disk is done next, within milliseconds.
        try await Self.wait("\(name) is in effect") { try self.inEffect().contains(name) }
        return .now
    }

    private func untilScheduled(
        _ name: String, since began: ContinuousClock.Instant, by asked: RESTClient? = nil
    ) async throws -> Double {
        let client = asked ?? client
        let vms = Collection(.vm, project: Self.project)
        let spec = VMSpec(
            cell: "east", resources: Resources(milliCPU: 100, memoryMiB: 64),
            run: RunSpec(command: Self.command))
        try await Self.wait("\(name) has a host", within: .seconds(300)) {
            if try await client.find(name, in: vms) == nil {
                _ = try await client.create(
                    WireDraft(kind: Kind.vm.rawValue, metadata: .init(name: name), spec: try .of(spec)),
                    in: vms)
            }
            return try await self.status(name, by: client)?.scheduledAt != nil
        }
        let seconds = Self.seconds(since: began)
        _ = try await client.delete(name, in: vms)
        return seconds
    }

    private func end(_ fault: String, by asked: RESTClient? = nil) async throws {
        let client = asked ?? client
        try await Self.wait("\(fault) is over") {
            guard try await client.fault(fault).isOpen else { return true }
            _ = try await client.abortFault(fault, reason: "measured")
            return false
        }
        try await Self.wait("all hosts are ready") {
            try await client.cluster().cells.reduce(0) { $0 + $1.readyHosts } == self.agents.count
        }
    }

    private func status(_ vm: String, by asked: RESTClient? = nil) async throws -> VMStatus? {
        let document = try await (asked ?? client).get(vm, in: Collection(.vm, project: Self.project))
        return try document.status?.object?.isEmpty == false ? document.status?.read(VMStatus.self) : nil
    }

    private func contact(_ host: String) async throws -> HostContact? {
        try await client.get(host, in: Collection(.host)).status?.read(HostStatus.self).contact
    }

    private static func seconds(since instant: ContinuousClock.Instant) -> Double {
        instant.duration(to: .now).inSeconds
    }
}
