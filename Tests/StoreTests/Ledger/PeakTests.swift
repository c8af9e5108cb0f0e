import AgentProtocol
import Fleet
import Store
import Testing

@Suite("Predicted peaks", .postgresServer)
struct PeakTests {
    /// A pool whose hosts, of 15 vCPUs, are sold twice and may be filled to nine tenths by peaks.
    static func with(
        _ implementation: StoreImplementation, _ test: (Scene, CellLease) async throws -> Void
    ) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let rules = OversubscriptionRules(
                mode: .pinned, ratioPerMille: 2000, maxUtilizationPerMille: 900)
            try await scene.create(
                .policy, "dense", spec: PolicySpec(type: .oversubscription, oversubscription: rules))
            try await scene.update(.pool, "p") {
                $0.spec = #"{"cell":"a","admits":["vm"],"policies":{"oversubscription":"dense"}}"#
            }
            try await test(scene, try await scene.lease())
        }
    }

    private func refusal(
        _ scene: Scene, _ lease: CellLease, milliCPU: Int, class: WorkloadClass = .standard
    ) async throws -> Reason? {
        let vm = try await scene.createVM("try-\(scene.ids.id() as ID<Document>)")
        let directive = scene.allocate(
            vm, on: try await scene.host(), milliCPU: milliCPU, memoryMiB: 1, class: `class`)
        let outcome = try await scene.commit([[.allocate(directive)]], lease: lease)
        if outcome.refusals.isEmpty {
            try await scene.commit([[scene.release(directive.allocation.id)]], lease: lease)
            try await scene.report(
                [scene.part(directive.allocation.id, .stopped)], sequence: Int(outcome.transaction))
        }
        return outcome.refusals.first?.reason
    }

    @Test("a VM that nothing is known of counts whole", arguments: StoreImplementation.all)
    func cold(_ implementation: StoreImplementation) async throws {
        try await Self.with(implementation) { scene, lease in
            #expect(try await refusal(scene, lease, milliCPU: 13_501) == .insufficientPeakRoom)
            #expect(try await refusal(scene, lease, milliCPU: 13_500) == nil)
            let placed = try await scene.place("one", lease: lease, milliCPU: 10_000)
            #expect(placed.peakMilliCPU == nil)
            #expect(try await scene.host().room.sharedPeakMilliCPU == 10_000)
            #expect(try await refusal(scene, lease, milliCPU: 3501) == .insufficientPeakRoom)
        }
    }

    @Test("what is known of its use makes room, up to the ratio", arguments: StoreImplementation.all)
    func warm(_ implementation: StoreImplementation) async throws {
        try await Self.with(implementation) { scene, lease in
            let one = try await scene.place("one", lease: lease, milliCPU: 10_000)
            #expect(try await scene.store.recordPeaks([one.id: 2000], lease: lease) == 1)
            #expect(try await scene.store.recordPeaks([one.id: 2000], lease: lease) == 0)
            #expect(try await scene.allocation(one.id).peakMilliCPU == 2000)
            #expect(try await refusal(scene, lease, milliCPU: 11_501) == .insufficientPeakRoom)
            let two = try await scene.place("two", lease: lease, milliCPU: 11_500)
            try await scene.store.recordPeaks([two.id: 0], lease: lease)
            #expect(try await refusal(scene, lease, milliCPU: 8501) == .insufficientCPU)
            #expect(try await refusal(scene, lease, milliCPU: 8500) == nil)
            // The guaranteed class takes from what peaks may fill: 2000 need 2223 of what it leaves.
            #expect(try await refusal(scene, lease, milliCPU: 4251, class: .guaranteed) == .insufficientCPU)
            #expect(try await refusal(scene, lease, milliCPU: 4250, class: .guaranteed) == nil)
            #expect(try await LedgerSums.differences(in: scene.store) == [])
        }
    }

    @Test("a peak that grew keeps all that runs and admits nothing more", arguments: StoreImplementation.all)
    func grown(_ implementation: StoreImplementation) async throws {
        try await Self.with(implementation) { scene, lease in
            let one = try await scene.place("one", lease: lease, milliCPU: 10_000)
            try await scene.store.recordPeaks([one.id: 1000], lease: lease)
            try await scene.place("two", lease: lease, milliCPU: 12_500)
            // More than it has is all that it has; nil forgets what was known.
            try await scene.store.recordPeaks([one.id: 99_000], lease: lease)
            #expect(try await scene.allocation(one.id).peakMilliCPU == 10_000)
            try await scene.store.recordPeaks([one.id: nil], lease: lease)
            #expect(try await scene.allocation(one.id).peakMilliCPU == nil)
            let over = try await scene.host().room
            #expect(!over.peakHolds && over.cpuHolds)
            #expect(try await refusal(scene, lease, milliCPU: 1) == .insufficientPeakRoom)
            #expect(
                try await refusal(scene, lease, milliCPU: 1, class: .guaranteed) == .insufficientPeakRoom)
            try await scene.commit([[scene.release(one.id)]], lease: lease)
            try await scene.report([scene.part(one.id, .stopped)], sequence: 1)
            #expect(try await scene.host().room.sharedPeakMilliCPU == 12_500)
            #expect(try await refusal(scene, lease, milliCPU: 1000) == nil)
            #expect(try await LedgerSums.differences(in: scene.store) == [])
        }
    }

    @Test(
        "what is not shared, not there or not of the cell is left alone", arguments: StoreImplementation.all)
    func others(_ implementation: StoreImplementation) async throws {
        try await Self.with(implementation) { scene, lease in
            let own = try await scene.place("own", lease: lease, milliCPU: 2000, class: .guaranteed)
            let gone = try await scene.place("gone", lease: lease, milliCPU: 2000)
            try await scene.commit([[scene.release(gone.id)]], lease: lease)
            try await scene.report([scene.part(gone.id, .stopped)], sequence: 1)
            let moved = try await scene.store.recordPeaks(
                [own.id: 1, gone.id: 1, scene.ids.id(): 1], lease: lease)
            #expect(moved == 0)
            #expect(try await scene.allocation(own.id).peakMilliCPU == nil)
            let lost = CellLease(cell: "a", token: lease.token - 1)
            await #expect(throws: StoreError.leaseLost(cell: "a")) {
                try await scene.store.recordPeaks([own.id: 1], lease: lost)
            }
        }
    }
}
