import Oversubscription
import Replay
import Testing

@Suite struct PowerExperimentTests {
    private func shape(days: Int = 1, seed: UInt64 = 1) -> PowerTrace.Shape {
        .init(days: days, seed: seed)
    }

    /// What is known of the row that the policy was made for.
    @Test(arguments: [UInt64(1), 2, 3])
    func theTraceHasThePapersCharacteristics(seed: UInt64) throws {
        let row = try PowerTrace(shape(days: 1, seed: seed)).row
        #expect(abs((row.max() ?? 0) - 0.79) < 1e-9)
        let rise = Headroom.rises(row, within: 20).max() ?? 0
        #expect(abs(rise - 0.118) < 1e-6)
        #expect((row.min() ?? 0) > 0.3)
    }

    /// Three tenths more servers, no brake, and hardly any throughput lost; further on that ends.
    @Test(arguments: [UInt64(1), 2])
    func aRowTakesThreeTenthsMoreWithoutABrake(seed: UInt64) throws {
        let experiment = try PowerExperiment(
            options: .init(added: [0, 30, 50], shape: shape(seed: seed)))
        let results = try experiment.run()
        #expect(results.map(\.servers) == [40, 52, 60])
        #expect(results[0].lowCappedPct < 1 && results[0].brakes == 0 && results[0].bareBrakes == 0)
        let more = results[1]
        #expect(more.freePeakPct > 100 && more.peakPct < 100)
        #expect(more.brakes == 0 && more.overSeconds == 0 && more.bareBrakes > 0)
        #expect(more.highLossPct < 1 && more.lowLossPct < 5 && more.lowLossPct > more.highLossPct)
        #expect(more.gainPct > 25)
        #expect(results[2].brakes > 0 && results[2].bareBrakes > results[2].brakes)
    }

    @Test func theSameSeedGivesTheSame() throws {
        let options = PowerExperiment.Options(added: [30, 45], shape: shape(days: 1))
        let first = try PowerExperiment(options: options).run()
        #expect(try PowerExperiment(options: options).run() == first)
        #expect(PowerPlot(first).svg == PowerPlot(first.reversed()).svg)
        #expect(PowerPlot(first).svg.hasSuffix("</svg>\n"))
    }

    @Test func anEmptyGroupDoesNotMatter() throws {
        for share in [0.0, 1.0] {
            let options = PowerExperiment.Options(
                added: [30], shape: .init(days: 1, lowShare: share), derivesThresholds: true)
            let result = try PowerExperiment(options: options).run()[0]
            #expect(result.gainPct.isFinite && result.lowLossPct.isFinite && result.highLossPct.isFinite)
        }
    }

    @Test func whatCannotBeIsRefused() {
        let cases: [(String, PowerExperiment.Options)] = [
            ("servers", .init(servers: 0)), ("added", .init(added: [])), ("added", .init(added: [-1])),
            ("added", .init(added: [.nan])), ("days", .init(shape: .init(days: 0))),
            ("t1", .init(first: 0.9, second: 0.8)), ("t2", .init(second: 2)),
            ("low-share", .init(shape: .init(lowShare: 1.5))), ("gpu-share", .init(gpuShare: -1)),
        ]
        for (field, options) in cases {
            let error = #expect(throws: OptionError.self) { _ = try PowerExperiment(options: options) }
            #expect(error?.field == field)
        }
    }
}
