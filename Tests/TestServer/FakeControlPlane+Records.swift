internal import APITypes
internal import Fleet

extension FakeControlPlane.State {
    /// Everything that is no document; nil when the path is one of documents.
    mutating func respondBesideDocuments(to request: TestRequest) -> TestReaction? {
        let segments = request.path.split(separator: "/").map(String.init)
        switch (request.method, segments.count, segments.dropFirst().first) {
        case ("GET", 2, "cluster"): return FakeControlPlane.answer(200, cluster)
        case ("GET", 2, "version"):
            return FakeControlPlane.answer(200, VersionResponse(version: "0.1.0", api: "v1", schema: 3))
        case ("GET", 2, "check"):
            return FakeControlPlane.answer(
                200,
                CheckResponse(
                    checkedAt: fleetTime, counts: ["hosts": 3, "allocations": 2], violations: violations))
        case ("GET", 2, "events"):
            return FakeControlPlane.answer(
                200, WireList(items: events, nextCursor: nil, resourceVersion: String(version)))
        case ("GET", 2, "allocations"):
            return FakeControlPlane.answer(
                200, WireList(items: allocations, nextCursor: nil, resourceVersion: String(version)))
        case ("GET", 2, "operations"):
            return FakeControlPlane.answer(
                200, WireList(items: operations, nextCursor: nil, resourceVersion: String(version)))
        case ("GET", 3, "operations"): return operation(segments[2])
        case ("GET", 2, "breakers"):
            let tripped = BreakerSummary(
                cell: "east", zone: "zone-1", since: fleetTime.advanced(by: .seconds(-90)), lost: 12,
                hosts: 60)
            return FakeControlPlane.answer(
                200, WireList(items: [tripped], nextCursor: nil, resourceVersion: String(version)))
        case ("POST", 5, "cells"):
            return FakeControlPlane.answer(
                200, BreakerResetResponse(cell: segments[2], zone: "zone-1", confirmed: 12))
        case ("GET", 4, "pools"): return FakeControlPlane.answer(200, Self.defragmentation(segments[2]))
        case ("GET", 4, "policies"): return history(Self.policy(segments))
        case ("GET", 5, "policies"): return version(segments[4], of: Self.policy(segments))
        case ("POST", 4, "policies"): return rollback(Self.policy(segments), request)
        case ("POST", 4, "hosts"): return hostVerb(segments[2], segments[3], request)
        case ("GET", 2, "audit"): return audit(request)
        case ("GET", 2, "tokens"):
            let tokens = [
                TokenSummary(name: "ada", role: .admin, projects: nil, expiresAt: nil),
                TokenSummary(
                    name: "ci", role: .viewer, projects: ["lab", "shop"],
                    expiresAt: fleetTime.advanced(by: .seconds(60))),
            ]
            return FakeControlPlane.answer(
                200, WireList(items: tokens, nextCursor: nil, resourceVersion: String(version)))
        case ("DELETE", 3, "tokens"):
            guard segments[2] == "ci" else {
                return FakeControlPlane.answer(Problem(.notFound, detail: "there is no Token"))
            }
            return .answer(status: 204, body: [])
        case ("POST", 2, "tokens") where request.query["dryRun"] == "true":
            return FakeControlPlane.answer(200, ["name": "ci", "role": "viewer"])
        case ("POST", 2, "tokens"), ("POST", 2, "jointokens"):
            return FakeControlPlane.answer(
                201,
                [
                    "name": "ci", "role": "viewer", "secret": "swordfish",
                    "expiresAt": "2030-01-01T00:00:00Z",
                ])
        case ("GET", 6, "projects") where segments[5] == "why": return why(segments)
        default: return nil
        }
    }

    /// Five rows, one a minute, in pages of two.
    private func audit(_ request: TestRequest) -> TestReaction {
        let last = request.query["cursor"].flatMap(Int64.init) ?? 6
        let rows = (1..<last).reversed().prefix(2).map { id in
            AuditRecord(
                id: id, at: fleetTime.advanced(by: .seconds(60 * Int(id))), actor: "user/ada",
                requestID: "r\(id)", verb: id == 5 ? "post" : "replace", kind: id == 5 ? nil : .policy,
                project: id == 5 ? "shop" : nil, name: id == 5 ? "/v1/projects/{project}/vms" : "dense",
                refused: id == 5)
        }
        return FakeControlPlane.answer(
            200,
            WireList(
                items: Array(rows), nextCursor: rows.last.flatMap { $0.id > 1 ? String($0.id) : nil },
                resourceVersion: String(version)))
    }

    private static func policy(_ segments: [String]) -> String { "/v1/policies/" + segments[2] }

    private var cluster: ClusterSummary {
        let vms = documents.values.filter { $0.kind == Kind.vm.rawValue }.count
        return ClusterSummary(
            epoch: 1, schemaVersion: 3, fleetTime: fleetTime, fleetRate: 600,
            cells: [
                .init(
                    name: "east", hosts: 300, readyHosts: 299, emptyHosts: 74,
                    capacity: Resources(milliCPU: 19_200_000, memoryMiB: 58_982_400),
                    used: Resources(milliCPU: 9_700_500, memoryMiB: 20_480_000), devices: 16, usedDevices: 3,
                    allocations: 4_211, runningVMs: vms, pendingVMs: 12, packingDensityPct: 77.25)
            ],
            controllers: [
                .init(
                    cell: "east", holder: "controller-a", token: 7,
                    expiresAt: fleetTime.advanced(by: .seconds(15)))
            ])
    }

    private mutating func operation(_ id: String) -> TestReaction {
        guard let index = operations.firstIndex(where: { $0.id.description == id }) else {
            return FakeControlPlane.answer(Problem(.notFound, detail: "no operation \(id)"))
        }
        operations[index].done = operations[index].total
        operations[index].state = .succeeded
        return FakeControlPlane.answer(200, operations[index])
    }

    private static func defragmentation(_ pool: String) -> DefragmentationPreview {
        let move = DrainPreview.Move(
            project: "shop", name: "web-1", to: "host-1",
            reason: "longest first: predicted to live 3 d 4 h more", remainingSeconds: 273_600,
            turnSeconds: 0,
            endsFirst: false)
        return DefragmentationPreview(
            pool: pool, mode: .advise, targetEmptyPerMille: 30,
            before: PackingSummary(
                hosts: 60, emptyHosts: 1, strandedCPUPerMille: 21, strandedMemoryPerMille: 140),
            after: PackingSummary(
                hosts: 60, emptyHosts: 2, strandedCPUPerMille: 18, strandedMemoryPerMille: 139),
            hosts: [.init(host: "host-2", benefitMilli: 76_000, moves: [move])],
            message: "1 of 60 hosts are emptied at once")
    }

    private static func preview(_ host: String) -> DrainPreview {
        DrainPreview(
            host: host, moves: [.init(project: "shop", name: "web-1", to: "host-1")],
            blocked: [
                .init(
                    project: "shop", name: "db-1", reason: .noHostFits,
                    message: "0 of 3 hosts fit: 2 InsufficientCPU, 1 HostCordoned",
                    nearestFix: "2 vCPU more on host host-1")
            ], opensAt: Timestamp("2030-01-05T02:00:00Z"))
    }

    private mutating func hostVerb(_ name: String, _ verb: String, _ request: TestRequest) -> TestReaction {
        let path = "/v1/hosts/\(name)"
        guard var host = documents[path] else {
            return FakeControlPlane.answer(Problem(.notFound, detail: "no host \"\(name)\""))
        }
        let body = FakeControlPlane.decode(HostVerbRequest.self, request.body)
        switch verb {
        case "drain" where request.query["dryRun"] == "true":
            return FakeControlPlane.answer(200, Self.preview(name))
        case "cordon", "uncordon", "undrain":
            if case .object(var members) = host.spec {
                members["cordoned"] = .bool(verb == "cordon")
                members["cordonReason"] = (body?.reason).map { .string($0) }
                host.spec = .object(members)
            }
            if request.query["dryRun"] == "true" {
                return FakeControlPlane.answer(200, ["document": host])
            }
            store(host, at: path, change: .modified)
            return FakeControlPlane.answer(200, host)
        case "drain":
            let operation = OperationRecord(
                id: Self.uid(900 + operations.count), verb: "host.drain", target: name, state: .running,
                done: 0,
                total: 4, message: body?.reason ?? "", createdAt: fleetTime, updatedAt: fleetTime)
            operations.append(operation)
            return FakeControlPlane.answer(202, operation)
        case "fence":
            guard body?.confirm == true else {
                return FakeControlPlane.answer(Problem(.guardRefused, detail: "not confirmed"))
            }
            return FakeControlPlane.answer(200, host)
        default: return FakeControlPlane.answer(Problem(.unknownPath, detail: verb))
        }
    }

    private func why(_ segments: [String]) -> TestReaction {
        let kind = Kind(named: segments[3]) ?? .vm
        let gang = PlacementExplanation.Gang(
            group: segments[4], members: 8, fitted: 6, member: "\(segments[4])-6")
        return FakeControlPlane.answer(
            200,
            WhyResponse(
                kind: kind, project: segments[2], name: segments[4], state: .pending, reason: .noHostFits,
                message: "0 of 3 hosts fit", queuePosition: 2,
                explanation: PlacementExplanation(
                    hosts: 3, feasible: 0,
                    rejected: [
                        .init(reason: .insufficientMemory, hosts: 2), .init(reason: .hostCordoned, hosts: 1),
                    ],
                    nearestFix: "512 MiB more memory on host-2", gang: kind == .vmGroup ? gang : nil),
                estimate: kind == .vmGroup
                    ? nil
                    : PlacementEstimate(
                        at: fleetTime.advanced(by: .seconds(90)), host: "host-2",
                        message: "host host-2 has room in a while")))
    }
}
