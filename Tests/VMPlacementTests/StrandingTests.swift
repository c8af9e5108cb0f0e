import Fleet
import Testing
import VMPlacement

@Suite struct StrandingTests {
    private func cell(_ taken: [(host: Int, vCPU: Int, gibibytes: Int)], hosts: Int = 2) -> PlacementCell {
        var cell = PlacementCell((0..<hosts).map { makeHost($0, vCPU: 8, gibibytes: 16) })
        for (number, vm) in taken.enumerated() {
            let request = makeRequest(number, vCPU: vm.vCPU, gibibytes: vm.gibibytes)
            cell.add(makeAllocation(number, of: request, on: vm.host))
        }
        return cell
    }

    private func share(_ vCPU: Int, _ gibibytes: Int, weight: Int = 1) -> ShapeShare {
        ShapeShare(Resources(milliCPU: vCPU * 1000, memoryMiB: gibibytes * 1024), weight: weight)
    }

    @Test func whatTheMixFillsIsNotStranded() {
        #expect(cell([]).stranding(of: [share(1, 2)]) == Stranding(cpu: 0, memory: 0))
        // Five vCPUs of each host are left when three VMs have taken the memory.
        #expect(cell([]).stranding(of: [share(1, 5)]) == Stranding(cpu: 10.0 / 16, memory: 2.0 / 32))
    }

    @Test func whatIsTakenIsNotFree() {
        // Host 0 has no memory left for its six vCPUs; host 1 is filled up.
        let stranded = cell([(0, 2, 16)]).stranding(of: [share(1, 2)])
        #expect(stranded == Stranding(cpu: 6.0 / 16, memory: 0))
    }

    @Test func aSizeThatFitsNowhereIsDrawnNoMore() {
        let stranded = cell([]).stranding(of: [share(64, 64, weight: 1000), share(1, 2)])
        #expect(stranded == Stranding(cpu: 0, memory: 0))
        #expect(cell([]).stranding(of: [share(64, 64)]) == Stranding(cpu: 1, memory: 1))
    }

    @Test func theSeedDecidesAndNothingElseDoes() {
        let mix = [share(1, 5, weight: 2), share(3, 1), share(2, 3)]
        let cell = cell([(0, 1, 1), (1, 3, 3), (3, 1, 5)], hosts: 9)
        #expect(cell.stranding(of: mix, seed: 3) == cell.stranding(of: mix, seed: 3))
        #expect(Set((0..<9).map { cell.stranding(of: mix, rounds: 1, seed: $0 * 7) }).count > 1)
        for seed in 0..<20 as Range<UInt64> {
            let stranded = cell.stranding(of: mix, seed: seed)
            #expect(stranded.map { (0...1).contains($0.cpu) && (0...1).contains($0.memory) } == true)
        }
    }

    @Test func nothingToFillOrToFillWithHasNoAnswer() {
        #expect(cell([], hosts: 0).stranding(of: [share(1, 1)]) == nil)
        #expect(cell([]).stranding(of: []) == nil)
        #expect(cell([]).stranding(of: [share(0, 0), share(1, 1, weight: 0)]) == nil)
        #expect(cell([]).stranding(of: [share(1, 1)], rounds: 0) == nil)
    }

    @Test func copiesThatFitAreCountedPerHost() {
        let cell = cell([(0, 5, 1)])
        #expect(cell.obtainable(share(8, 16).shape) == 1)
        #expect(cell.obtainable(share(4, 4).shape) == 2)
        #expect(cell.obtainable(share(1, 5).shape) == 6)
        #expect(cell.obtainable(.zero) == 0)
    }

    /// Sixty hosts of which every third has no memory left: a sample of them tells the same.
    @Test func aSampleOfManyHostsStandsForAll() throws {
        let cell = cell((0..<20).map { ($0 * 3, 2, 16) }, hosts: 60)
        let room = cell.freeRoom()
        let mix = [share(1, 2), share(2, 4)]
        let all = try #require(room.stranding(of: mix))
        #expect(all == cell.stranding(of: mix))
        #expect(abs(all.cpu - 120.0 / 480) < 1e-9 && all.memory == 0)
        // Some five VMs per host: steps for about twenty hosts.
        let sample = try #require(room.stranding(of: mix, stepsAtMost: 2000))
        #expect(abs(sample.cpu - all.cpu) < 0.05 && sample.memory == 0)
        #expect(room.stranding(of: mix, stepsAtMost: 2000) == sample)
        #expect(room.stranding(of: mix, stepsAtMost: 1) != nil)
    }

    @Test func aPoolIsMeasuredApart() {
        var cell = PlacementCell(name: "c")
        for number in 0..<4 {
            var host = makeHost(number, vCPU: 8, gibibytes: 16)
            host.pool = number < 3 ? "a" : "b"
            if number == 2 { host.isSchedulable = false }
            cell.upsert(host: host)
        }
        cell.add(makeAllocation(1, of: makeRequest(1, vCPU: 2, gibibytes: 16), on: 0))
        let room = cell.freeRoom(ofPool: "a")
        #expect(room.hosts == 2 && room.emptyHosts == 1)
        #expect(room.largestHost == share(8, 16).shape)
        #expect(room.copies(of: share(4, 8).shape) == 2)
        #expect(room.stranding(of: [share(1, 2)]) == Stranding(cpu: 6.0 / 16, memory: 0))
        #expect(cell.freeRoom(ofPool: "none").hosts == 0 && cell.freeRoom().hosts == 3)
        #expect(cell.freeRoom(ofPool: "none").stranding(of: [share(1, 2)]) == nil)
    }

    @Test func aMixForgetsAfterADay() {
        var mix = ArrivalMix()
        let small = share(1, 2).shape
        let large = share(8, 16).shape
        func time(_ hours: Double) -> Timestamp { Timestamp(seconds: hours * 3600) }
        for _ in 0..<3 { mix.note(small, at: time(1)) }
        mix.note(large, at: time(20))
        mix.note(small, at: time(0.5))
        #expect(mix.shares(at: time(21)) == [share(1, 2, weight: 4), share(8, 16)])
        #expect(mix.shares(at: time(24.5)) == [share(1, 2, weight: 3), share(8, 16)])
        #expect(mix.shares(at: time(30)) == [share(8, 16)])
        mix.note(large, at: time(50))
        mix.note(small, at: time(2))
        #expect(mix.shares(at: time(50)) == [share(8, 16)])
        for number in 1...40 { mix.note(share(number, 1).shape, at: time(50)) }
        #expect(mix.shares(at: time(50)).count == 16 && mix.shares(at: time(50)).contains(share(8, 16)))
    }
}
