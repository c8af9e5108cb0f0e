import APITypes
import Fleet
import Foundation
import TestServer

/// A small fleet with a bit of everything.
enum Sample {
    static let start = Timestamp(seconds: 1_767_225_600)

    static func id<Subject>(_ number: UInt8) -> ID<Subject> {
        ID(UUID(uuid: (0x01, 0x90, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, number)))
    }

    static func fill(_ plane: FakeControlPlane) {
        plane.put(vm("web-1", .running, host: "host-1", age: 7000), at: "projects/shop/vms/web-1")
        plane.put(
            vm(
                "a-name-that-goes-on-and-on-for-longer-than-most-people-would-like", .pending, host: nil,
                age: 40),
            at: "projects/shop/vms/a-name-that-goes-on-and-on-for-longer-than-most-people-would-like")
        plane.put(
            vm("batch-7", in: "lab", .failed, host: "host-2", age: 400_000), at: "projects/lab/vms/batch-7")
        plane.put(group, at: "projects/shop/vmgroups/ring")
        plane.put(host("host-1", .ready, cordoned: false), at: "hosts/host-1")
        plane.put(host("host-2", .suspect, cordoned: true), at: "hosts/host-2")
        plane.put(
            document(
                .pool, "vms",
                spec: [
                    "cell": .string("east"), "admits": .array([.string("vm"), .string("serving")]),
                    "cpuRatioPerMille": .integer(1500),
                ]), at: "pools/vms")
        plane.put(
            document(
                .project, "shop",
                spec: ["quota": .object(["milliCPU": .integer(64_000), "devices": .integer(8)])]),
            at: "projects/shop")
        plane.put(
            document(
                .flavor, "small",
                spec: ["resources": .object(["milliCPU": .integer(500), "memoryMiB": .integer(1536)])]),
            at: "flavors/small")
        var model = document(
            .model, "general-1",
            spec: [
                "form": .string("gbdt"), "features": .array([.string("uptime"), .string("app")]),
                "training": .object([
                    "fromSeconds": .integer(0), "untilSeconds": .integer(2_592_000), "vms": .integer(18_204),
                    "censored": .integer(731), "examples": .integer(101_377),
                    "dataHash": .string("0123456789abcdef"),
                ]),
                "metrics": .object([
                    "trees": .integer(120), "trainingErrorPerMille": .integer(512),
                    "validationErrorPerMille": .integer(548),
                ]),
                "capSeconds": .integer(604_800), "bytes": .integer(204_811),
                "checksum": .string("fedcba9876543210"),
            ])
        model.status = .object([
            "state": .string("promoted"),
            "promotions": .array([
                .object([
                    "scope": .object(["pool": .string("vms")]), "since": .string("2026-01-02T03:04:05Z"),
                    "by": .string("user/ada"),
                ])
            ]),
        ])
        plane.put(model, at: "models/general-1")
        for (generation, score) in [(1, "first-fit"), (2, "best-fit")] {
            var policy = document(
                .policy, "dense",
                spec: [
                    "type": .string("placement"), "description": .string("Fills hosts"),
                    "placement": .object(["score": .string(score)]),
                ])
            policy.metadata.generation = generation
            plane.put(policy, at: "policies/dense")
        }
        plane.add(event(1, "web-1", .created, "created by user/ada"))
        plane.add(
            event(
                2, "web-1", .scheduled,
                "placed on host-1 by best-fit: leftover 0.25 of 300 hosts that fit, 12 of them in use"))
        plane.add(event(3, "web-1", .running, "runs on host-1"))
        plane.add(
            OperationRecord(
                id: id(50), verb: "host.drain", target: "host-2", state: .running, done: 3, total: 10,
                message: "7 VMs left", createdAt: start, updatedAt: start))
    }

    /// Two VMs on the first host, one that stops and one that has stopped on the second.
    static func allocations(on hosts: [ID<Document>]) -> [Allocation] {
        func allocation(
            _ number: UInt8, _ name: String, _ host: ID<Document>, _ milliCPU: Int, _ state: Allocation.State
        ) -> Allocation {
            Allocation(
                id: id(number),
                workload: WorkloadReference(
                    kind: .vm, uid: id(number), project: number.isMultiple(of: 2) ? "shop" : "lab",
                    name: name,
                    part: "vm"),
                cell: "east", host: host, class: .standard,
                resources: Resources(milliCPU: milliCPU, memoryMiB: 90_000),
                devices: number == 80 ? ["GPU-1"] : [], state: state, createdAt: start)
        }
        return [
            allocation(80, "web-1", hosts[0], 2500, .active),
            allocation(81, "web-2", hosts[0], 4000, .reserved),
            allocation(82, "batch-7", hosts[1], 62_000, .releasing),
            allocation(83, "gone", hosts[1], 64_000, .released),
        ]
    }

    static func event(_ number: Int64, _ name: String, _ reason: Reason, _ message: String) -> EventRecord {
        EventRecord(
            id: number, at: start.advanced(by: .seconds(number * 60)), kind: .vm, project: "shop", name: name,
            uid: id(9), reason: reason, message: message, source: "vms")
    }

    private static func document(
        _ kind: Kind, _ name: String, project: String? = nil, age: Int64 = 7200, spec: [String: JSONValue],
        status: JSONValue? = nil
    ) -> WireDocument {
        let created = CommandFixture.now.advanced(by: .seconds(-age))
        return WireDocument(
            kind: kind,
            metadata: Metadata(
                name: name, uid: id(UInt8(name.utf8.count)), project: project,
                labels: ["tier": "web", "owner": "ada"], createdAt: created),
            spec: .object(spec), status: status)
    }

    private static func vm(
        _ name: String, in project: String = "shop", _ state: WorkloadState, host: String?, age: Int64
    ) -> WireDocument {
        let condition = JSONValue.object([
            "type": .string("Scheduled"), "status": .string(host == nil ? "False" : "True"),
            "reason": .string(host == nil ? "NoHostFits" : "Scheduled"),
            "message": .string("0 of 3 hosts fit: 2 InsufficientMemory, 1 HostCordoned"),
            "lastTransitionTime": .string(start.description),
        ])
        var status: [String: JSONValue] = [
            "state": .string(state.rawValue), "cell": .string("east"), "restarts": .integer(1),
            "conditions": .array([condition]),
        ]
        status["host"] = host.map { .string($0) }
        return document(
            .vm, name, project: project, age: age,
            spec: [
                "resources": .object(["milliCPU": .integer(2500), "memoryMiB": .integer(4096)]),
                "devices": .array([.object(["model": .string("H100"), "count": .integer(2)])]),
            ], status: .object(status))
    }

    private static var group: WireDocument {
        let condition = JSONValue.object([
            "type": .string("Scheduled"), "status": .string("False"), "reason": .string("NoHostFits"),
            "message": .string("0 of 8 members have a host: 6 of 8 members of ring fit together"),
            "lastTransitionTime": .string(start.description),
        ])
        let resources = JSONValue.object(["milliCPU": .integer(8000), "memoryMiB": .integer(16_384)])
        return document(
            .vmGroup, "ring", project: "shop", age: 40,
            spec: [
                "replicas": .integer(8), "placement": .string("all"), "antiAffinity": .string("host"),
                "template": .object(["spec": .object(["resources": resources])]),
            ],
            status: .object([
                "state": .string("Pending"), "cell": .string("east"), "replicas": .integer(8),
                "placed": .integer(0), "running": .integer(0), "conditions": .array([condition]),
            ]))
    }

    private static func host(_ name: String, _ contact: HostContact, cordoned: Bool) -> WireDocument {
        var spec: [String: JSONValue] = ["cell": .string("east"), "pool": .string("vms")]
        if cordoned {
            spec["cordoned"] = .bool(true)
            spec["cordonReason"] = .string("fan is loud")
        }
        let device = JSONValue.object(["model": .string("H100"), "uuid": .string("GPU-1")])
        return document(
            .host, name, spec: spec,
            status: .object([
                "contact": .string(contact.rawValue), "session": .string("rack-7"),
                "inventory": .object([
                    "capacity": .object(["milliCPU": .integer(64_000), "memoryMiB": .integer(196_608)]),
                    "devices": .array([device]), "substrate": .string("simulated"),
                    "domain": .object(["zone": .string("z1"), "rack": .string("r7")]),
                ]),
            ]))
    }
}
