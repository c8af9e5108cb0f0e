import Fleet
import Testing
import VMPlacement

@testable import LifetimeTraining

@Suite struct ConcordanceTests {
    private func seen(_ seconds: Double, ended: Bool = true) -> LifetimeObservation {
        LifetimeObservation(
            features: VMFeatures(resources: .zero), seconds: seconds, hasEnded: ended)
    }

    /// Every pair, one by one.
    private func pairwise(_ vms: [LifetimeObservation], _ predictions: [Double]) -> Double? {
        var good = 0.0
        var all = 0.0
        for first in vms.indices {
            for second in vms.indices where first != second && vms[first].hasEnded {
                let (short, long) = (vms[first], vms[second])
                let isLonger =
                    long.seconds > short.seconds || (long.seconds == short.seconds && !long.hasEnded)
                guard isLonger else { continue }
                all += 1
                if predictions[second] == predictions[first] { good += 0.5 }
                if predictions[second] > predictions[first] { good += 1 }
            }
        }
        return all > 0 ? good / all : nil
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func theFastCountIsThatOfAllPairs(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let vms = (0..<80).map { _ in
            seen(Double(random.next() % 20), ended: random.next() % 3 > 0)
        }
        let predictions = vms.map { _ in Double(random.next() % 12) }
        #expect(Concordance(lifetimes: vms, predictions: predictions).share == pairwise(vms, predictions))
    }

    @Test func orderIsAllThatCounts() {
        let vms = [seen(1), seen(2), seen(3), seen(4, ended: false)]
        #expect(Concordance(lifetimes: vms, predictions: [1, 10, 11, 12]).share == 1)
        #expect(Concordance(lifetimes: vms, predictions: [4, 3, 2, 1]).share == 0)
        #expect(Concordance(lifetimes: vms, predictions: [5, 5, 5, 5]).share == 0.5)
        #expect(Concordance(lifetimes: [seen(4, ended: false)], predictions: [1]).share == nil)
        #expect(Concordance(lifetimes: [], predictions: []).share == nil)
    }
}
