import Fleet
import Store
import Testing

@testable import Control

/// What a policy would have made of the last days.
extension TrialTests {
    @Test func whatAPolicyWouldHaveMadeIsToldWithoutDoingIt() async throws {
        try await running { session in
            let allocation = try await place("web", .standard)
            try await starts(allocation, session)
            let host = try #require(try await store.hosts(.ids([allocation.host])).first)
            // Four tenths at noon and two at midnight, for sixteen days.
            let vm = (vm: allocation.workload.uid, used: { @Sendable in 400 - 200 * abs($0 - 12) / 12 })
            try await live(session, hours: 16 * 24 + 1, vms: [host.name: vm])
            let forecaster = RateForecaster(store: store)
            let rules = OversubscriptionRules(mode: .managed, ratioMaxPerMille: 4000, riskTarget: 0.05)
            let found = try await forecaster.whatIf(Self.pool, policy: nil, rules: rules, days: 28)
            #expect(found.rules == rules && found.hours >= 16 * 24 && found.until != nil)
            #expect(found.soldMilliCPU == 1000 && found.peakMilliCPU == 400 && found.strandedMilliCPU == 600)
            let proposal = try #require(found.proposal)
            #expect(proposal.ratioPerMille > found.ratioPerMille && proposal.notes.contains(.fewResiduals))
            // Bolder rules save more and risk no less.
            let fixed = found.rates.filter { $0.policy.hasPrefix("static") }
            #expect(fixed.map(\.benefit) == fixed.map(\.benefit).sorted())
            #expect(fixed.map(\.risk) == fixed.map(\.risk).sorted())
            #expect(fixed.first?.risk == 0 && fixed.last.map { $0.risk > 0 } == true)
            #expect(found.rates.contains { $0.policy == "proto-rate:0.05" })
            #expect(found.vms == 1 && found.hostMilliCPU == 8000)
            #expect(found.packing.map(\.hosts).allSatisfy { $0 == 1 } && found.packing.count == 8)
            #expect(found.packing.allSatisfy { $0.hotShare == 0 && $0.savedShare == 0 })

            let short = try await forecaster.whatIf(Self.pool, policy: "p", rules: nil, days: 3)
            #expect(short.hours == 72 && short.proposal == nil && short.rates.isEmpty)
            #expect(short.rules.ratioMaxPerMille == 1250)
            await #expect(throws: StoreError.self) {
                try await forecaster.whatIf(Self.pool, policy: "none", rules: nil, days: 3)
            }
            await #expect(throws: StoreError.self) {
                try await forecaster.whatIf(RateScope(.pool, "none"), policy: nil, rules: nil, days: 3)
            }
            // The same facts in the explanation.
            let explained = try await RateExplainer(store: store).explanation(of: Self.pool)
            let latest = try #require(explained.latest)
            #expect((0.2...0.4).contains(latest.peak) && explained.nextWindow != nil)
            // Twenty hosts of eight vCPUs, one of which is sold: the loss of any of them is no loss.
            #expect((151_000...198_000).contains(explained.use.spareAfterLossMilliCPU ?? 0))
        }
    }

    @Test func vmsArePackedByTheFirstHalfAndJudgedByTheSecond() {
        let ids = CountedIDs()
        let vms: [ID<Document>] = (0..<4).map { _ in ids.id() }
        // Two are busy in the morning and two in the evening; in the second half one is busy all day.
        let told = vms.enumerated().flatMap { index, vm in
            (0..<96).map { hour in
                let isBusy = hour % 24 / 12 == index % 2 || (hour >= 48 && index == 0)
                return UsageHour(
                    vm: vm, start: (2400 + hour) * 3600, soldMilliCPU: 4000, meanMilliCPU: 0,
                    p90MilliCPU: isBusy ? 4000 : 100, maxMilliCPU: 4000, bins: 12)
            }
        }
        let sold = Dictionary(vms.map { ($0, 4.0) }, uniquingKeysWith: max)
        let packing = WhatIfPacking(
            vms: vms + vms, sold: sold, told: told, hours: 2400..<2496, hostCores: [8, 8])
        #expect(packing.cores == [4, 4, 4, 4] && packing.hostCores == 8)
        let points = packing.points.reduce(into: [:]) { $0[$1.policy] = $1 }
        #expect(points["static:1"]?.hosts == 2 && points["static:2"]?.hosts == 1)
        #expect(points["static:2"]?.savedShare == 0.5)
        // Half of the hours one more wants all of its cores.
        #expect(points["static:2"].map { abs($0.hotShare - 1) < 1e-9 || $0.hotShare > 0.4 } == true)
        #expect(points["static:1"]?.hotShare == 0 && points["max"]?.hosts == 2)
        let none = WhatIfPacking(vms: vms, sold: sold, told: [], hours: 2400..<2496, hostCores: [8])
        #expect(none.points.isEmpty && none.cores.isEmpty)
        #expect(
            WhatIfPacking(vms: vms, sold: sold, told: told, hours: 2400..<2430, hostCores: [8]).points
                .isEmpty)
    }
}
