import AgentProtocol
import Control
import Fleet
import Store
import Testing

@Suite("Use", .postgresServer)
struct UsageTests {
    private func told(
        _ name: String = "h1", _ rung: GuardLevel = .observe, notes: [GuardNote] = [], bins: [UsageBin] = []
    ) -> HostUsage {
        HostUsage(name: name, rung: rung, signals: UsageSignals(use: 0.5), notes: notes, bins: bins)
    }

    private func note(_ cause: GuardNote.Cause, _ after: GuardLevel, _ message: String) -> GuardNote {
        GuardNote(at: Scene.start, before: .observe, after: after, cause: cause, message: message)
    }

    @discardableResult
    private func take(_ hosts: [HostUsage], _ scene: Scene) async throws -> [String] {
        try await scene.store.takeUsage(hosts, session: try await scene.session().id)
    }

    private func guarded(_ name: String, _ scene: Scene) async throws -> Condition? {
        try DocumentJSON.decode(HostStatus.self, from: try await scene.document(.host, name).status)
            .conditions.first { $0.type == .guarded }
    }

    @Test(
        "a host whose guard admits nothing is frozen until it does again", arguments: StoreImplementation.all)
    func freezing(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            let before = try await scene.host()
            try await take([told()], scene)
            let calm = try await scene.host()
            #expect(calm == before)
            #expect(try await guarded("h1", scene) == nil)

            let notes = [note(.hot, .freeze, "run delay \"31 %\""), note(.hot, .throttle, "ünd")]
            try await take([told("h1", .throttle, notes: notes)], scene)
            let hot = try await scene.host()
            #expect(hot.frozen && hot.generation == before.generation + 1)
            #expect(try await scene.host("h2").frozen == false)
            let condition = try #require(try await guarded("h1", scene))
            #expect(condition.status == .yes && condition.reason == .hostHot)
            #expect(try await scene.events(.hostHot).map(\.message) == notes.map(\.message))

            // The same again is no news to anybody.
            let position = try await scene.feedPosition()
            try await take([told("h1", .throttle)], scene)
            #expect(try await scene.feed(after: position, limit: 10).entries.isEmpty)
            // Another rung is told, but moves nothing that plans rest on.
            try await take([told("h1", .freeze)], scene)
            #expect(try await scene.host().generation == hot.generation)
            #expect(try await guarded("h1", scene)?.lastTransitionTime == condition.lastTransitionTime)

            try await scene.advance(1)
            try await take([told("h1", .observe, notes: [note(.calm, .observe, "calm")])], scene)
            let again = try await scene.host()
            #expect(!again.frozen && again.generation == before.generation + 2)
            #expect(try await guarded("h1", scene)?.status == .no)
            #expect(try await scene.events(.hostCalm).map(\.message) == ["calm"])
        }
    }

    @Test("a plan of before the freeze is not committed", arguments: StoreImplementation.all)
    func plans(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            let directive = scene.allocate(try await scene.createVM("v1"), on: try await scene.host())
            try await take([told("h1", .freeze)], scene)
            let outcome = try await scene.commit([[.allocate(directive)]], lease: lease)
            #expect(outcome.refusals.map(\.reason) == [.hostChanged])
        }
    }

    @Test("nothing is taken of hosts that the session does not carry", arguments: StoreImplementation.all)
    func foreign(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let other = try await scene.join("s2", pattern: "x*")
            try await scene.hello(other, [scene.hostHello("x1")])
            let bin = bin(scene.ids.id(), 0)
            let refused = try await take(
                [told("x1", .freeze, bins: [bin]), told("nobody"), told()], scene)
            #expect(refused == ["nobody", "x1"])
            #expect(try await scene.host("x1").frozen == false)
            #expect(try await scene.store.usageBins(vm: bin.vm, since: Scene.start).isEmpty)
            #expect(try await take([], scene) == [])
            #expect(try await scene.store.hostGuards().map(\.host) == [try await scene.host().id])
        }
    }

    @Test("a host that falls silent is frozen until it speaks", arguments: StoreImplementation.all)
    func silence(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 3) { scene in
            try await take([told("h1"), told("h2", .freeze)], scene)
            try await scene.advance(15)
            #expect(try await scene.store.freezeSilentHosts(after: .seconds(15)).isEmpty)
            try await scene.advance(1)
            // h3 never told anything, and nothing is asked of it.
            let silent = try await scene.store.freezeSilentHosts(after: .seconds(15))
            let hosts = [try await scene.host("h1"), try await scene.host("h2")]
            #expect(silent == hosts.map(\.id).sorted() && hosts.map(\.frozen) == [true, true])
            #expect(try await scene.host("h3").frozen == false)
            #expect(try await guarded("h1", scene)?.reason == .telemetryStale)
            #expect(try await scene.store.freezeSilentHosts(after: .seconds(15)).isEmpty)
            #expect(try await scene.events(.telemetryStale).count == 2)
            #expect(try await scene.store.hostGuards().allSatisfy(\.isStale))

            try await take([told("h1"), told("h2", .freeze)], scene)
            #expect(try await scene.host("h1").frozen == false)
            #expect(try await scene.host("h2").frozen)
            #expect(try await guarded("h2", scene)?.reason == .hostHot)
            #expect(try await scene.events(.hostCalm).map(\.name) == ["h1", "h2"])
        }
    }

    /// Start of the hour in which scenes begin.
    private static let hour = 1_699_999_200

    private func bin(_ vm: ID<Document>, _ index: Int, p90: Int = 200, max: Int = 400) -> UsageBin {
        UsageBin(
            vm: vm, start: Self.hour + index * 300, soldMilliCPU: 1000, meanMilliCPU: 100, p90MilliCPU: p90,
            maxMilliCPU: max)
    }

    @Test("hours are made of bins, each counted once", arguments: StoreImplementation.all)
    func hours(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            let store = scene.store
            let lease = try await scene.lease()
            let vm = try await scene.place("v1", lease: lease).workload.uid
            let bins = (0..<12).map { bin(vm, $0, p90: ($0 + 1) * 10, max: 500 + $0) }
            try await take([told(bins: Array(bins[..<8]))], scene)
            // A report whose answer was lost comes again, with what is new.
            try await take([told(bins: Array(bins[4...]) + [bin(vm, 12)])], scene)
            // A host without the VM is not believed.
            try await take([told("h2", bins: [bin(vm, 3, max: 9000)])], scene)
            #expect(try await store.usageBins(vm: vm, since: Scene.start).allSatisfy { $0.vm == vm })
            #expect(
                try await store.usageBins(vm: vm, since: Timestamp(seconds: Double(Self.hour) + 3000))
                    == Array(bins[10...]) + [bin(vm, 12)])

            // The hour has just ended: others may yet tell of it.
            try await scene.advance(Double(Self.hour + 3600 + 599) - Scene.start.seconds)
            #expect(try await store.rollUpUsage() == 0)
            try await scene.advance(1)
            #expect(try await store.rollUpUsage() == 1)
            #expect(try await store.rollUpUsage() == 0)
            let hours = try await store.usageHours(vms: [vm], since: Timestamp(seconds: Double(Self.hour)))
            #expect(
                hours == [
                    UsageHour(
                        vm: vm, start: Self.hour, soldMilliCPU: 1000, meanMilliCPU: 100, p90MilliCPU: 110,
                        maxMilliCPU: 511, bins: 12)
                ])
            #expect(try await store.usageHours(vms: [], since: Scene.start).isEmpty)
        }
    }

    @Test("a VM is expected to use what its hours say", arguments: StoreImplementation.all)
    func forecast(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            let vm = try await scene.place("v1", lease: lease).workload.uid
            let stranger: ID<Document> = scene.ids.id()
            // The four hours from 20:00 on, which are a window of their own.
            try await take([told(bins: (-24..<24).map { bin(vm, $0, max: 400) })], scene)
            try await scene.advance(3 * 3600)
            #expect(try await scene.store.rollUpUsage() == 4)
            let peaks = try await UsageForecast(store: scene.store).peaks(
                of: [vm: 1000, stranger: 700], now: Scene.start.advanced(by: .seconds(10_800)))
            #expect(peaks[stranger] == Array(repeating: 700, count: 6))
            let known = try #require(peaks[vm])
            // The upper edge of a bucket of a twentieth, and all of it in windows that were not lived.
            #expect(known[5] >= 400 && known[5] < 450 && known[..<5] == [1000, 1000, 1000, 1000, 1000])
        }
    }

    @Test("days are forgotten whole", arguments: StoreImplementation.all)
    func retention(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let store = scene.store
            let lease = try await scene.lease()
            let vm = try await scene.place("v1", lease: lease).workload.uid
            let epoch = Timestamp(seconds: 0)
            func kept() async throws -> [Int] {
                [
                    try await store.usageBins(vm: vm, since: epoch).count,
                    try await store.usageHours(vms: [vm], since: epoch).count,
                ]
            }
            // What is of no day around is dropped at once.
            try await take([told(bins: [bin(vm, 0), bin(vm, -600), bin(vm, 600)])], scene)
            #expect(try await kept() == [1, 0])
            try await scene.advance(7200)
            #expect(try await store.rollUpUsage() == 1)
            try await store.keepUsage(bins: .seconds(86_400), hours: .seconds(2 * 86_400))
            #expect(try await kept() == [1, 1])
            try await scene.advance(86_400)
            try await store.keepUsage(bins: .seconds(86_400), hours: .seconds(2 * 86_400))
            #expect(try await kept() == [0, 1])
            try await scene.advance(86_400)
            try await store.keepUsage(bins: .seconds(86_400), hours: .seconds(2 * 86_400))
            #expect(try await kept() == [0, 0])
            // And days come again.
            try await take([told(bins: [bin(vm, 3 * 288)])], scene)
            #expect(try await kept() == [1, 0])
        }
    }
}
