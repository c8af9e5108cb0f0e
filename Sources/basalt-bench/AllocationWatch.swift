import APITypes
import Client
import Fleet
import Synchronization

/// Sees in a watch when each VM of an open loop has got its allocation.
final class AllocationWatch: Sendable {
    private let loop: OpenLoop
    private let samples: LatencySamples
    private let isListed = Mutex(false)

    init(loop: OpenLoop, samples: LatencySamples) {
        self.loop = loop
        self.samples = samples
    }

    func draft(_ number: Int) -> WireDraft {
        WireDraft(
            kind: Kind.vm.rawValue,
            metadata: .init(
                name: "rest-\(number)", project: ControlPlaneProcesses.project, labels: ["bench": "rest"]),
            spec: .object([
                "cell": .string(ControlPlaneProcesses.cell),
                "resources": .object([
                    "milliCPU": .integer(RunningFleet.shape.milliCPU),
                    "memoryMiB": .integer(RunningFleet.shape.memoryMiB),
                ]),
            ]))
    }

    /// Returns once changes are seen.
    func started() async throws {
        while !isListed.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(10)) }
    }

    func run(_ client: RESTClient, _ vms: Collection) async throws {
        var seen: Set<Int> = []
        for try await step in client.watch(vms, ListOptions(labelSelector: "bench=rest")) {
            switch step {
            case .listed: isListed.withLock { $0 = true }
            case .changed(let event):
                guard let vm = event.object, vm.status?["allocation"] != nil,
                    let number = Int(vm.metadata.name.dropFirst("rest-".count)), seen.insert(number).inserted
                else { continue }
                samples.add(loop.due(number).duration(to: .now), window: loop.window(number))
            }
        }
    }
}
