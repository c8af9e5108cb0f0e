internal import Fleet
internal import Foundation
internal import Store

/// What an operator does after a bad night, and the control plane leaves to people on purpose.
struct Person {
    let world: World

    private var store: MemoryStore { world.store }
    private let context = WriteContext(actor: "user/operator", verb: "tidy")

    init(world: World) { self.world = world }

    /// Ends drains and cordons, resets breakers whose hosts came back, and stops what nobody asks for.
    func tidy() async throws {
        for host in try await store.hosts(.all) where host.cordoned || host.draining {
            _ = try await store.update(
                .host, project: nil, name: host.name, precondition: .none, context: context
            ) { resource in
                var spec = try JSONDecoder().decode(HostSpec.self, from: Data(resource.spec.utf8))
                spec.cordoned = nil
                spec.draining = nil
                spec.cordonReason = nil
                spec.drain = nil
                resource.spec = try Workload.text(spec)
            }
        }
        for allocation in try await store.allocations(.live) where allocation.quarantined {
            _ = try await store.stop(allocation.id, context: context)
        }
    }
}
