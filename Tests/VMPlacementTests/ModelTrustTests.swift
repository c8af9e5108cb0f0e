import Fleet
import Testing
import VMPlacement

/// Models of pools, and how they lose their trust.
@Suite struct ModelTrustTests {
    private struct Fixed: LifetimeModel {
        var seconds: Double
        func expectedRemaining(uptime: Double, of features: VMFeatures) -> Double { seconds }
    }

    @Test func everyPoolIsAnsweredByItsOwnModel() {
        let model = PoolModels(pools: ["a": Fixed(seconds: 1)], otherwise: Fixed(seconds: 2))
        for (pool, seconds) in [("a", 1.0), ("b", 2), ("", 2)] {
            let features = VMFeatures(resources: .zero, pool: pool)
            #expect(model.expectedRemaining(uptime: 0, of: features) == seconds)
        }
    }

    /// VMs of two pools that live two hours, which the model of the first says wrong.
    private static func cell(
        ends: Int, hinted: Bool = false, since: Double = 0, rightOf every: Int = .max
    ) -> PlacementCell {
        var cell = PlacementCell([makeHost(1, vCPU: 1000, gibibytes: 1000)])
        cell.trackLifetimes(LifetimeSettings(), model: Fixed(seconds: 60), now: epoch)
        cell.setModelTrust([
            "a": ModelTrust(model: hostID(9), since: epoch.advanced(by: .seconds(since)))
        ])
        for number in 1...ends {
            var request = makeRequest(number, vCPU: 1, gibibytes: 1)
            request.pool = number % 2 == 0 ? "a" : "b"
            request.lifetimeHint = hinted ? .seconds(60) : nil
            let start = epoch.advanced(by: .seconds(number))
            cell.advance(to: start)
            var allocation = makeAllocation(number, of: request, on: 1)
            allocation.createdAt = start
            cell.add(allocation, lifetime: VMLifetime(features: VMFeatures(request), startedAt: start))
            let hours = number % every == 0 ? 0.5 : 2
            cell.remove(allocation: allocation.id, endedAt: start.advanced(by: .seconds(hours * 3600)))
        }
        return cell
    }

    @Test func trustIsLostWhenHalfOfAHundredAreWrong() {
        #expect(Self.cell(ends: 198).modelTrust["a"]?.isLost == false)
        let lost = Self.cell(ends: 200).modelTrust
        #expect(lost["a"]?.isLost == true && lost["a"]?.accuracy.share == 0 && lost["b"] == nil)
        // All of the pool's VMs have even numbers: two of three times right is enough.
        #expect(Self.cell(ends: 400, rightOf: 2).modelTrust["a"]?.isLost == false)
    }

    @Test func whatTheModelWasNotAskedDoesNotCount() {
        #expect(Self.cell(ends: 300, hinted: true).modelTrust["a"]?.accuracy.share == nil)
        #expect(Self.cell(ends: 300, since: 1e6).modelTrust["a"]?.isLost == false)
    }

    @Test func trustIsWrittenDownAndReadBack() throws {
        var cell = Self.cell(ends: 200)
        let request = makeRequest(999)
        cell.add(makeAllocation(999, of: request, on: 1))
        cell.noteLifetimeMoved(of: hostID(1))
        let taken = cell.takeLifetimeNotes(at: cell.lifetimeTrial, limit: 10)
        let notes = try #require(taken)
        #expect(notes.cell.trust?["a"]?.isLost == true)
        var other = PlacementCell([makeHost(1, vCPU: 1000, gibibytes: 1000)])
        other.trackLifetimes(
            LifetimeSettings(), model: Fixed(seconds: 60), now: epoch,
            memory: LifetimeMemory(cell: notes.cell))
        #expect(other.modelTrust == cell.modelTrust)
    }
}
