import Fleet
import Store
import Testing

@Suite("What the training engine remembers", .postgresServer)
struct TrainingMemoryTests {
    private static let memory = TrainingMemory(
        used: [.init(project: "p", deviceSeconds: 12.5)], usedAt: Timestamp(seconds: 1_700_000_000),
        failures: [
            .init(deviceModel: "H100", model: .bert, globalBatch: 32, placement: [8, 8], plan: "zero-dp")
        ],
        measurements: [
            .init(
                deviceModel: nil, model: .gpt2, globalBatch: 16, placement: [4], plan: "1x4x1",
                cpusPerDevice: 2, milliseconds: 957.5)
        ])

    @Test("it is written whole, read back, and goes by cell", arguments: StoreImplementation.all)
    func kept(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            #expect(try await scene.store.trainingMemory(cell: lease.cell) == nil)
            try await scene.store.keep(Self.memory, lease: lease)
            #expect(try await scene.store.trainingMemory(cell: lease.cell) == Self.memory)
            var later = Self.memory
            later.used = []
            later.usedAt = Timestamp(seconds: 1_700_000_030)
            try await scene.store.keep(later, lease: lease)
            #expect(try await scene.store.trainingMemory(cell: lease.cell) == later)
            #expect(try await scene.store.trainingMemory(cell: "nowhere") == nil)
        }
    }

    @Test("without the lease nothing is written", arguments: StoreImplementation.all)
    func fenced(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            try await scene.store.keep(Self.memory, lease: lease)
            try await scene.store.releaseLease(lease)
            await #expect(throws: StoreError.self) {
                try await scene.store.keep(
                    TrainingMemory(usedAt: Timestamp(seconds: 1_700_000_060)), lease: lease)
            }
            #expect(try await scene.store.trainingMemory(cell: lease.cell) == Self.memory)
        }
    }
}
