internal import APITypes
internal import Client
internal import Fleet

/// The fleet of the demonstration: two cells, four agents, one pool with GPUs.
struct DemoFleet {
    /// One agent and its hosts.
    struct Session {
        var name: String
        var cell: String
        var pool: String
        var hosts: Int
        /// GPUs of each host.
        var gpus: Int
    }

    static let project = "demo"
    static let gpuModel = "h100"
    static let gpusPerHost = 8
    /// VMs with GPUs that run beside the trace, each with two devices.
    static let gpuVMs = 20
    /// Hosts of a small session: below the tenth of a failure domain at which the breaker asks a human.
    private static let smallSession = 10

    let sessions: [Session]

    /// - Parameter hosts: of the whole fleet, at least 40.
    init(hosts: Int) {
        let half = hosts / 2
        let small = Self.smallSession
        sessions = [
            Session(name: "a-main", cell: "cell-a", pool: "a-general", hosts: half - small, gpus: 0),
            Session(name: "a-edge", cell: "cell-a", pool: "a-general", hosts: small, gpus: 0),
            Session(name: "b-main", cell: "cell-b", pool: "b-general", hosts: hosts - half - small, gpus: 0),
            Session(name: "b-gpu", cell: "cell-b", pool: "b-gpu", hosts: small, gpus: Self.gpusPerHost),
        ]
    }

    var hosts: Int { sessions.reduce(0) { $0 + $1.hosts } }

    /// Makes cells, pools and the project, then the VMs with GPUs once hosts are there.
    static func apply(_ client: RESTClient, sessions: [Session]) async throws {
        for cell in Set(sessions.map(\.cell)).sorted() {
            _ = try await client.create(draft(cell, .object([:])), in: Collection(.cell))
        }
        for pool in Set(sessions.map(\.pool)).sorted() {
            let cell = sessions.first { $0.pool == pool }?.cell ?? ""
            let spec = JSONValue.object(["cell": .string(cell), "admits": .array([.string("vm")])])
            _ = try await client.create(draft(pool, spec), in: Collection(.pool))
        }
        _ = try await client.create(draft(project, .object([:])), in: Collection(.project))
    }

    static func createGPUVMs(_ client: RESTClient) async throws {
        let device = JSONValue.object(["model": .string(gpuModel), "count": .integer(2)])
        let resources = JSONValue.object(["milliCPU": .integer(8000), "memoryMiB": .integer(32_768)])
        let spec = JSONValue.object([
            "pool": .string("b-gpu"), "resources": resources, "devices": .array([device]),
            "class": .string("guaranteed"),
        ])
        for number in 0..<gpuVMs {
            let name = "gpu-\(number < 10 ? "0" : "")\(number)"
            _ = try await client.create(
                draft(name, spec, project: project), in: Collection(.vm, project: project))
        }
    }

    private static func draft(_ name: String, _ spec: JSONValue, project: String? = nil) -> WireDraft {
        WireDraft(kind: nil, metadata: .init(name: name, project: project), spec: spec)
    }
}
