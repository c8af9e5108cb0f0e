import APITypes
import Client
import Fleet
import Foundation
import NodeAgent
import Testing

extension Deployment {
    /// Cell `east` with the pools `vms` and `gpus`, and the project `shop`.
    func makeFleet(ratioPerMille: Int? = nil) async throws {
        let client = try client()
        func create(_ kind: Kind, _ name: String, _ spec: some Encodable) async throws {
            _ = try await client.create(
                WireDraft(kind: kind.rawValue, metadata: .init(name: name), spec: try .encoding(spec)),
                in: Collection(kind))
        }
        try await create(.cell, "east", CellSpec())
        try await create(
            .pool, "vms", PoolSpec(cell: "east", admits: [.vm], cpuRatioPerMille: ratioPerMille))
        try await create(.pool, "gpus", PoolSpec(cell: "east", admits: [.vm]))
        try await create(.project, "shop", ProjectSpec())
        try await create(
            .project, "small", ProjectSpec(quota: Quota(milliCPU: 4000, memoryMiB: 8192, devices: 1)))
    }

    static func spec(
        milliCPU: Int = 1000, memoryMiB: Int = 1024, _ edit: (inout VMSpec) -> Void = { _ in }
    ) -> VMSpec {
        var spec = VMSpec(
            cell: "east", resources: Resources(milliCPU: milliCPU, memoryMiB: memoryMiB))
        edit(&spec)
        return spec
    }

    static func draft(_ name: String, _ spec: VMSpec) throws -> WireDraft {
        WireDraft(kind: Kind.vm.rawValue, metadata: .init(name: name), spec: try .encoding(spec))
    }

    @discardableResult
    func createVM(
        _ name: String, project: String = "shop", _ spec: VMSpec = spec()
    ) async throws -> WireDocument {
        try await client().create(try Self.draft(name, spec), in: Collection(.vm, project: project))
    }

    /// `NAME-0…`, a few at a time.
    func createVMs(_ name: String, count: Int, _ spec: VMSpec = spec()) async throws {
        let client = try client(retry: .persistent)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<count {
                if index >= 4 { try await group.next() }
                group.addTask {
                    _ = try await client.create(
                        try Self.draft("\(name)-\(index)", spec), in: Collection(.vm, project: "shop"))
                }
            }
            try await group.waitForAll()
        }
    }

    func deleteVM(_ name: String, project: String = "shop") async throws {
        _ = try await client().delete(name, in: Collection(.vm, project: project))
    }

    func status(_ name: String, project: String = "shop") async throws -> VMStatus {
        let document = try await client().get(name, in: Collection(.vm, project: project))
        guard let status = document.status, status.object?.isEmpty == false else { return VMStatus() }
        return try status.decoded()
    }

    func statuses(project: String? = nil) async throws -> [String: VMStatus] {
        var found: [String: VMStatus] = [:]
        for document in try await client().listAll(Collection(.vm, project: project)).items {
            let status = document.status?.object?.isEmpty == false ? document.status : nil
            found[document.metadata.name] = try status?.decoded() ?? VMStatus()
        }
        return found
    }

    /// Waits until the VM is in the state.
    @discardableResult
    func vm(
        _ name: String, is state: WorkloadState, project: String = "shop",
        within limit: Duration = .seconds(30)
    ) async throws -> VMStatus {
        try await eventually("\(name) is \(state.rawValue)", within: limit) {
            let status = try await self.status(name, project: project)
            return status.state == state ? status : nil
        }
    }

    /// Waits until as many VMs run, and no others are there.
    func allRun(_ count: Int, within limit: Duration = .seconds(60)) async throws {
        try await eventually("\(count) VMs run", within: limit) {
            let found = try await self.statuses()
            let running = found.values.count { $0.state == .running }
            guard running == count, found.count == count else {
                let others = found.filter { $0.value.state != .running }.sorted { $0.key < $1.key }
                    .prefix(5).map { "\($0.key) \($0.value.state)" }
                throw TimedOut(description: "\(running) of \(found.count) run; \(others)")
            }
            return true
        }
    }

    func vmIsGone(_ name: String, project: String = "shop") async throws {
        try await eventually("\(name) is gone") {
            try await self.client().find(name, in: Collection(.vm, project: project)) == nil
        }
    }

    func host(_ name: String) async throws -> HostStatus {
        let document = try await client().get(name, in: Collection(.host))
        return try #require(document.status).decoded()
    }

    func host(
        _ name: String, is contact: HostContact, within limit: Duration = .seconds(30)
    ) async throws {
        try await eventually("host \(name) is \(contact.rawValue)", within: limit) {
            try await self.host(name).contact == contact
        }
    }

    func hostsReady(_ count: Int) async throws {
        try await eventually("\(count) hosts are ready") {
            let cells = try await self.client().cluster().cells
            return cells.reduce(0) { $0 + $1.readyHosts } == count
        }
    }

    /// Allocations that are not released, by workload.
    func liveAllocations() async throws -> [String: [Allocation]] {
        let all = try await client().allocations().items.filter(\.state.consumesCapacity)
        return Dictionary(grouping: all, by: \.workload.name)
    }

    func events(_ reason: Reason) async throws -> [EventRecord] {
        try await client().events(.init(limit: 1000, fieldSelector: "reason=\(reason.rawValue)")).items
    }

    /// Everything that the journals of all agents hold.
    func journal() throws -> [RunRecord] {
        try agents.values.sorted { $0.name < $1.name }.flatMap { agent in
            let path = RunJournal.path(in: agent.state.appending(path: "substrate").path)
            guard FileManager.default.fileExists(atPath: path) else { return [RunRecord]() }
            return try RunJournal.records(in: agent.state.path)
        }
    }

    /// Ends a scenario: no invariant is broken, by the ledger and by the journals, and the counts are right.
    /// - Parameter starts: parts that were started in all, by the journals.
    func verify(live: Int, starts: Int) async throws {
        let directories = Set(agents.values.map(\.state.path)).sorted()
        let check: (Int32, String) = try await eventually("the fleet can be checked") {
            let answer = try await self.basalt(
                ["operator", "check", "-o", "json"] + directories.flatMap { ["--journal", $0] })
            return answer.output.contains("server.unavailable") ? nil : (answer.status, answer.output)
        }
        try #require(check.0 == 0, "\(check.1)")
        let report = try JSONDecoder().decode(CheckResponse.self, from: Data(check.1.utf8))
        try #require(report.violations.isEmpty)
        try #require(report.counts["runs"] ?? 0 == starts)
        let allocations = try await liveAllocations()
        try #require(allocations.values.allSatisfy { $0.count == 1 })
        try #require(allocations.count == live)
        let started = try journal().filter { $0.event == .start }
        try #require(Set(started.map(\.allocation)).count == starts && started.count == starts)
    }
}

extension JSONValue {
    static func encoding(_ value: some Encodable) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(value))
    }

    func decoded<Value: Decodable>() throws -> Value {
        try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(self))
    }
}
