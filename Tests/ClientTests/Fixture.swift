import APITypes
import Client
import Fleet
import TestServer

/// A client whose sleeps return at once, and a fake control plane.
struct Fixture {
    let plane = FakeControlPlane()
    let time = VirtualTime()

    var seams: ClientSeams {
        let time = time
        return ClientSeams(sleep: { try await time.sleep($0) }, random: { 0.5 }, ids: CountingIDSource())
    }

    func run(
        servers before: [String] = [], retry: RetryPolicy = .interactive, token: String? = "secret",
        _ body: (RESTClient) async throws -> Void
    ) async throws {
        try await TestServer.with(plane.handler) { server in
            let servers = try (before + [server.address]).map { try ServerAddress($0) }
            let configuration = ClientConfiguration(servers: servers, token: token, retry: retry)
            try await RESTClient.with(configuration, seams: seams, body)
        }
    }

    static func draft(_ name: String, labels: [String: String]? = nil, placement: String = "best-fit")
        -> WireDraft
    {
        WireDraft(
            kind: Kind.pool.rawValue, metadata: .init(name: name, labels: labels),
            spec: .object([
                "cell": .string("east"), "admits": .array([.string("vm")]), "placement": .string(placement),
            ]))
    }

    static let pools = Collection(.pool)
}
