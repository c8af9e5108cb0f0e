import Testing

@testable import Oversubscription

@Suite struct PackingTests {
    private func pack(_ room: PackingRoom, _ demands: [PackingDemand]) -> [[Int]] {
        var packing = HostPacking(room)
        for (vm, demand) in demands.enumerated() { packing.place(vm, demand) }
        return packing.members
    }

    private func plain(_ cores: [Double]) -> [PackingDemand] { cores.map { PackingDemand(peaks: [$0]) } }

    @Test func aVMGoesWhereTheLeastRoomIsLeft() {
        #expect(pack(PackingRoom(capacity: 10), plain([6, 7, 3, 4])) == [[0, 3], [1, 2]])
        // Of equal hosts the first.
        #expect(pack(PackingRoom(capacity: 10), plain([6, 6, 4])) == [[0, 2], [1]])
        // Sums of tenths miss their capacity by the last bits and fit all the same.
        #expect(pack(PackingRoom(capacity: 1), plain(Array(repeating: 0.1, count: 10))).count == 1)
    }

    @Test func whatIsTooLargeHasAHostForItself() {
        #expect(pack(PackingRoom(capacity: 4), plain([5, 1, 1])) == [[0], [1, 2]])
        #expect(pack(PackingRoom(capacity: 4), []).isEmpty)
    }

    @Test func windowsShareWhatIsNotBusyAtOnce() {
        let day = PackingDemand(peaks: [3, 1])
        let night = PackingDemand(peaks: [1, 3])
        #expect(pack(PackingRoom(capacity: 4), [day, night]) == [[0, 1]])
        #expect(pack(PackingRoom(capacity: 4), [day, day]) == [[0], [1]])
    }

    @Test func variancesAddUpUnderTheRoot() {
        let vm = PackingDemand(peaks: [1], variance: 1)
        // 4 + 2 · √4 fits in 8, a fifth does not.
        #expect(
            pack(PackingRoom(capacity: 8, factor: 2), Array(repeating: vm, count: 5)).map(\.count) == [4, 1])
    }

    @Test func demandsOfThePolicies() {
        let history: [Double] = [0, 1, 2, 3]
        func peaks(_ policy: PackingPolicy) -> [Double] {
            policy.demand(cores: 4, history: history, stepsPerDay: 4).peaks
        }
        #expect(peaks(.ratio(2)) == [4] && PackingPolicy.ratio(2).room(cores: 32).capacity == 64)
        #expect(peaks(.percentile(0.5)) == [1.5])
        #expect(peaks(.windows(2, percentile: 1)) == [1, 3])
        #expect(peaks(.aligned(margin: 2)) == [0, 2, 4, 6])
        #expect(
            PackingPolicy.sigmas(5).demand(cores: 4, history: history, stepsPerDay: 4)
                == PackingDemand(peaks: [1.5], variance: 1.25))
        #expect(
            PackingPolicy.chance(.hoeffding, 0.1).demand(cores: 4, history: [0], stepsPerDay: 4).variance
                == 16)
        // A VM that never ran is not free.
        #expect(PackingPolicy.percentile(1).demand(cores: 4, history: [0], stepsPerDay: 4).peaks == [0.02])
    }

    @Test func whatIsHotIsCounted() {
        // Host one: 3, 5, 4 of 4 cores; host two: nothing.
        let outcome = PackingOutcome(
            members: [[0, 1], [2]], cores: [4, 4, 4], hostCores: 4,
            used: [[1, 2, 4], [2, 3, 0], [0, 0, 0]])
        #expect(outcome.hosts == 2 && outcome.ratio == 1.5)
        #expect(outcome.hotHostSampleRate == 1.0 / 6 && outcome.hotHosts == 0.5)
        #expect(outcome.nearlyHotHostSampleRate == 2.0 / 6 && outcome.unmetCoreFraction == 1.0 / 12)
    }

    @Test func aModelOfAllVMsKnowsTheHoursOfEach() {
        var random = LinearCongruence(seed: 3)
        let hours = 16 * 24
        let histories = (0..<6).map { vm in
            (0..<hours).map { hour in
                (hour % 24 / 8 == vm % 3 ? 1.0 : 0.2) + Double(random.next() % 100) / 1000
            }
        }
        let policy = PackingPolicy.protoRate(ProtoRateSettings(target: 0.05))
        let cores = [Double](repeating: 2, count: 6)
        let demands = policy.demands(cores: cores, histories: histories, stepsPerDay: 24)
        #expect(demands.count == 6 && demands.allSatisfy { $0.peaks.count == 24 && $0.variance == 0 })
        for (vm, demand) in demands.enumerated() {
            let busy = demand.peaks[vm % 3 * 8..<vm % 3 * 8 + 8]
            #expect(busy.allSatisfy { $0 > 1 && $0 <= 2 } && demand.peaks.filter { $0 < 0.8 }.count >= 12)
        }
        #expect(policy.accepts(hours: hours) && !policy.accepts(hours: 200))
        #expect(PackingPolicy.ratio(1).accepts(hours: 0))
        #expect(policy.demands(cores: [2], histories: [[1]], stepsPerDay: 24).first?.peaks.first == 2)
    }
}
