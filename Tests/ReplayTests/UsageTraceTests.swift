import Foundation
import Oversubscription
import Replay
import Testing

@Suite struct UsageTraceTests {
    private let header = "vm,cores,cap_mhz,t0_unix,step_s,values_cpu_pct_x100_empty_means_missing..."

    private func read(_ lines: [String]) throws(TraceError) -> UsageTrace {
        try read(Array(lines.joined(separator: "\n").utf8))
    }

    private func read(_ bytes: [UInt8]) throws(TraceError) -> UsageTrace {
        try UsageTraceReader().read(.bytes(bytes, name: "use.csv"))
    }

    @Test func aLineIsASeries() throws {
        let trace = try read([header, "7,2,2600,100,300,50,,12000,9999.6\r", "", "8,0.5,0,200,300,1"])
        #expect(trace.stepSeconds == 300 && trace.steps == 4 && trace.stepsPerDay == 288)
        #expect(
            trace.series == [
                UsageSeries(
                    name: "7", cores: 2, startSeconds: 100, stepSeconds: 300,
                    samples: [50, UsageSeries.missing, 10_000, 10_000]),
                UsageSeries(name: "8", cores: 0.5, startSeconds: 200, stepSeconds: 300, samples: [1]),
            ])
        #expect(trace.limited(to: 1).series.map(\.name) == ["8"])
    }

    @Test(arguments: [
        (["vm,cores,t0_unix,step_s"], TraceError.Code.missingColumn, nil as Int?),
        (["vm,t0_unix,step_s,values_cpu_pct_x100"], .missingColumn, nil),
        ([], .missingHeader, nil), (["HEADER"], .empty, nil),
        (["HEADER", "1,1,1,0,300,5", "1,1,1,0,300,5"], .badValue, 3),
        (["HEADER", "1,x,1,0,300,5"], .badValue, 2), (["HEADER", "1,1,1,0,300,-5"], .badValue, 2),
        (["HEADER", "1,1,1,0,0,5"], .badValue, 2), (["HEADER", "1,1,1,0,86401,5"], .badValue, 2),
        (["HEADER", "1,1,1,0,300,5", "2,1,1,0,60,5"], .badValue, 3), (["HEADER", "1,1,1"], .missingField, 2),
    ])
    func whatIsWrongIsNamed(lines: [String], code: TraceError.Code, line: Int?) {
        let error = #expect(throws: TraceError.self) {
            try read(lines.map { $0 == "HEADER" ? header : $0 })
        }
        #expect(error?.code == code)
        if let line { #expect(error?.line == line) }
    }

    /// `vm,cores,…` with one VM, compressed by gzip.
    private static let compressed =
        Data(
            base64Encoded: """
                H4sIAAAAAAACAw3IOQ7AIAwEwD5v2WKBB1nIchEphxUbxPNDOTNv6PtZQLsjKeM5FyLNJTD7NSxEfYhryirkUVDR\
                QDQS26j7fp3W3lVEAAAA
                """
        ).map(Array.init) ?? []

    @Test func gzipIsRead() throws {
        let trace = try read(Self.compressed)
        #expect(trace.series.first?.samples == [100, 200])
        // Members follow one another in one file.
        #expect(throws: TraceError.self) { try read(Self.compressed + Self.compressed) }
    }

    @Test func aDamagedFileEndsInWords() {
        for cut in [2, 11, Self.compressed.count - 1] {
            let error = #expect(throws: TraceError.self) { try read(Array(Self.compressed[..<cut])) }
            #expect(error?.code == .compressed, "cut at \(cut)")
        }
        var flipped = Self.compressed
        flipped[flipped.count / 2] ^= 0xFF
        #expect(throws: TraceError.self) { try read(flipped) }
        #expect(throws: TraceError.self) { try read([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0]) }
    }

    @Test func sizesOfAnotherFileCount() throws {
        let trace = try read([header, "7,2,2600,100,300,50", "8,4,0,200,300,1"])
        let meta = "month,vm,cores_first,first_ts\nx,7,6,100\ny,7,9,101\nx,9,1,100\n"
        let sized = try UsageMetaReader().applying(.bytes(Array(meta.utf8), name: "meta.csv"), to: trace)
        #expect(sized.series.map(\.cores) == [6, 4])
    }
}

@Suite struct OversubscriptionExperimentTests {
    /// Two days of hours: three VMs of two cores, each busy in another third of the day.
    private func trace() throws -> UsageTrace {
        let lines = (0..<3).map { vm in
            let values = (0..<48).map { $0 % 24 / 8 == vm ? "10000" : "0" }
            return "\(vm),2,1,0,3600,\(values.joined(separator: ","))"
        }
        let text = (["vm,cores,cap,t0_unix,step_s,values_cpu_pct_x100"] + lines).joined(separator: "\n")
        return try UsageTraceReader().read(.bytes(Array(text.utf8), name: "use.csv"))
    }

    /// A little more than a VM has: none costs nothing in any window.
    private func options(_ policies: String, test: Int = 86_400) throws -> PackingExperiment.Options {
        PackingExperiment.Options(
            hostCores: 2.1, largestVM: 2, historySeconds: 86_400, testSeconds: test,
            policies: try PackingPolicyName.policies(parsing: policies), shuffles: 3, seed: 1)
    }

    @Test func windowsSaveWhatPercentilesCannot() throws {
        let results = try PackingExperiment(options: options("static:1,max,window:3x8h:max,static:3")).run(
            trace())
        #expect(results.map(\.hosts.mean) == [3, 3, 1, 1])
        #expect(results.map(\.hotHostSampleRate.mean) == [0, 0, 0, 0])
        #expect(abs(results[2].savedPct.mean - 200.0 / 3) < 1e-9 && results[2].savedPct.sd == 0)
    }

    @Test func aTraceThatIsTooShortIsRefused() throws {
        let error = #expect(throws: OptionError.self) {
            try PackingExperiment(options: options("max", test: 2 * 86_400)).run(trace())
        }
        #expect(error?.field == "history" && error?.nearest == "3600")
        #expect(throws: OptionError.self) {
            try RateExperiment(
                options: .init(scopes: 2, policies: RatePolicyName.policies(parsing: "oracle"), seed: 0)
            )
            .run(trace())
        }
    }

    @Test(arguments: [
        "static", "static:0", "static:x", "p101", "p", "window:5x4h:p95", "window:6x4:p95", "window:6x4h",
        "chance:0", "chance:1", "n-sigma:-1", "", "maximum",
    ])
    func aPolicyThatCannotBeReadHasANearestOne(text: String) {
        let error = #expect(throws: OptionError.self) { try PackingPolicyName(parsing: text) }
        #expect(error?.nearest.isEmpty == false)
    }

    @Test(arguments: ["static:1.1", "same-hour:5h", "recent:8d", "recent:0h", "grid", "scope:x", ""])
    func aRateThatCannotBeReadHasANearestOne(text: String) {
        #expect(throws: OptionError.self) { try RatePolicyName(parsing: text) }
    }

    @Test(arguments: ["vm:p99", "vm:99:10", "n-sigma:5:0", "limit:1", "max+", "window:7x4h:p95", ""])
    func aPredictorThatCannotBeReadHasANearestOne(text: String) {
        #expect(throws: OptionError.self) { try PredictorName(parsing: text) }
    }

    @Test func everyPredictorRuns() throws {
        let text =
            "limit,phi:0.9,max,vm:p99:5,machine:p98:5,n-sigma:5:5,chance:0.01:5,cantelli:0.01:5,hoeffding:0.01:5,"
            + "window:6x4h:p95,histogram:p95,max+vm:p50:3"
        let names = try PredictorName.predictors(parsing: text)
        let samples = "t,vm,usage_cores,limit_cores\n0,1,0.5,2\n1,1,1.5,2\n3,1,0.25,2\n"
        let steps = try HostUsageReader().read(.bytes(Array(samples.utf8), name: "host.csv"))
        #expect(steps.map(\.count) == [1, 1, 0, 1])
        let table = try PredictionExperiment(
            options: .init(predictors: names, minimumSamples: 1, oracleEvery: 1)
        ).run(steps)
        #expect(table.rows.allSatisfy { $0.predictions.allSatisfy { (0...2).contains($0) } })
        #expect(table.rows.map(\.oracle) == [1.5, 1.5, 0, 0.25])
        #expect(table.judgements.map(\.predictor) == table.columns && Set(table.columns).count == names.count)
        #expect(table.csv.split(separator: "\n").count == 5)
    }

    @Test(arguments: [
        "1,1,1,1\n0,1,1,1", "0,1,1,1\n0,1,1,1", "0.5,1,1,1", "0,1,-1,1", "0,1,1,x", "99999999,1,1,1",
    ])
    func aHostsFileThatIsWrongIsRefused(rows: String) {
        #expect(throws: TraceError.self) {
            try HostUsageReader().read(.bytes(Array("t,vm,usage_cores,limit_cores\n\(rows)".utf8), name: "h"))
        }
    }

    @Test func theDrawingHasAPointPerPolicy() throws {
        let results = try PackingExperiment(options: options("static:1,max,static:2")).run(trace())
        let svg = FrontierPlot(results).svg
        #expect(svg.hasPrefix("<svg") && svg.hasSuffix("</svg>\n"))
        #expect(
            svg.components(separatedBy: "<circle").count == 4 && !svg.contains("nan") && !svg.contains("inf"))
    }
}
