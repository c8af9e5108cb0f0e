internal import FaultLab
internal import Fleet
internal import Foundation
internal import Store
internal import Synchronization

/// What people write into documents by mistake while a fault lasts, and put right afterwards.
final class Mistakes: Sendable {
    static let kinds: Set<FaultKind> = [.quotaTooLow, .labelDrift]
    /// A project may have this much for all its VMs.
    private static let smallQuota = Quota(milliCPU: 16_000)
    private static let label = "basalt.example/role"

    private let faults: AsyncStream<Fault>
    private let inbox: AsyncStream<Fault>.Continuation
    private let context = WriteContext(actor: "user/operator", verb: "update")

    init() { (faults, inbox) = AsyncStream.makeStream() }

    /// A fault began or ended.
    func note(_ fault: Fault) { inbox.yield(fault) }

    /// Writes until cancelled.
    func run(in world: World) async {
        for await fault in faults {
            // Of two that overlap the first to end puts nothing right.
            let isWrong = world.running.withLock { running in
                running.values.contains { $0.kind == fault.kind && $0.target == fault.target }
            }
            do {
                try await write(fault, isWrong: isWrong, to: world.store)
            } catch StoreError.notFound {
                // A host that has not said hello yet.
                continue
            } catch {
                world.fail("\(fault.kind) of \(fault.target): \(error)")
            }
        }
    }

    private func write(_ fault: Fault, isWrong: Bool, to store: MemoryStore) async throws {
        let isQuota = fault.kind == .quotaTooLow
        _ = try await store.update(
            isQuota ? .project : .host, project: nil, name: fault.target.name, precondition: .none,
            context: context
        ) { resource in
            if isQuota {
                resource.spec = try Workload.text(ProjectSpec(quota: isWrong ? Self.smallQuota : nil))
            } else {
                resource.metadata.labels[Self.label] = isWrong ? "lead" : nil
            }
        }
    }
}
