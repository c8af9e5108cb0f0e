import Foundation
import Oversubscription
import Testing

@testable import Replay

/// Figures of recorded use, where it is there: the folder named by `BASALT_UTILIZATION`, or
/// `shared/data/utilization` beside the package.
enum UtilizationData {
    static let folder: String? = {
        let named = ProcessInfo.processInfo.environment["BASALT_UTILIZATION"]
        let beside = PackageRoot.url.deletingLastPathComponent().appending(path: "shared/data/utilization")
            .path
        return [named, beside].compactMap { $0 }.first { FileManager.default.fileExists(atPath: $0) }
    }()

    static func source(_ name: String) throws -> TraceSource {
        TraceSource.file(path: try #require(folder) + "/" + name)
    }
}

@Suite(.enabled(if: UtilizationData.folder != nil, "no recorded use: set BASALT_UTILIZATION to its folder"))
struct OversubscriptionDataTests {
    /// Predictions of `googleinterns/cluster-resource-forecast` for the same samples.
    @Test func predictorsEqualThoseOfAnotherProgram() throws {
        let names = try PredictorName.predictors(
            parsing: "limit,n-sigma:5:24,n-sigma:5:120,vm:p99:120,machine:p98:120,max")
        let steps = try HostUsageReader().read(
            try UtilizationData.source("golden_google_predictors_input.csv.gz"))
        let table = try PredictionExperiment(options: .init(predictors: names)).run(steps)
        let ours = Self.lines(table.csv)
        let theirs = Self.lines(try Self.text("golden_google_predictors_bitbrains.csv.gz"))
        #expect(ours.count == 601 && ours.first == theirs.first)
        for (mine, golden) in zip(ours, theirs).dropFirst() {
            for (column, value) in golden.enumerated() {
                // Of later steps the golden oracle saw more samples than the file has.
                if column == golden.count - 1, (Int(golden[0]) ?? 0) > 528 { continue }
                guard let expected = Double(value) else {
                    #expect(mine[column] == value, "t \(golden[0])")
                    continue
                }
                let found = try #require(Double(mine[column]))
                #expect(abs(found - expected) <= 1e-9, "t \(golden[0]), \(theirs[0][column])")
            }
        }
    }

    private static func lines(_ text: String) -> [[String]] {
        text.split(whereSeparator: \.isNewline).map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
    }

    private static func text(_ name: String) throws -> String {
        String(decoding: try GzipText.bytes(of: try UtilizationData.source(name)), as: UTF8.self)
    }
}

/// Tables of the reference simulation of the same recorded use.
extension OversubscriptionDataTests {
    private static let august = "bitbrains_rnd_2013-8_cpu_pct_x100.csv.gz"
    private static let day = 86_400

    private func pack(_ policies: [String], shuffles: Int, seed: UInt64) throws -> [PackingResult] {
        let trace = try UsageTraceReader().read(try UtilizationData.source(Self.august))
        let options = PackingExperiment.Options(
            hostCores: 32, historySeconds: 16 * Self.day, testSeconds: 14 * Self.day,
            policies: try policies.map { (text) throws(OptionError) in try PackingPolicyName(parsing: text) },
            shuffles: shuffles, seed: seed)
        return try PackingExperiment(options: options).run(trace)
    }

    /// Hosts exactly, rates to the last digit that the reference gives.
    @Test func packingEqualsTheReference() throws {
        let expected: [(String, hosts: Double, hot: Double, ever: Double, unmet: Double)] = [
            ("static:1", 42, 0, 0, 0), ("static:2", 21, 0.0014, 0.048, 0.00013),
            ("static:3", 14, 0.1227, 0.50, 0.0279), ("static:4", 11, 0.2385, 0.73, 0.0899),
            ("p90", 13, 0.0250, 0.54, 0.0045), ("p95", 14, 0.00027, 0.29, 0.00002),
            ("p99", 15, 0.00007, 0.13, 0.000002), ("max", 20, 0, 0, 0),
            ("window:6x4h:p95", 14, 0.0009, 0.21, 0.00003), ("window:6x4h:max", 17, 0, 0, 0),
            ("window:24x1h:max", 16, 0.00012, 0.06, 0.00001), ("chance:0.001", 12, 0.17, 0.92, 0.03),
            ("n-sigma:5", 19, 0, 0, 0), ("cantelli:0.01", 45, 0, 0, 0),
        ]
        let results = try pack(expected.map(\.0), shuffles: 1, seed: 7)
        for (row, found) in zip(expected, results) {
            // The reference gives two digits for the chance rows.
            let tolerance = row.0.hasPrefix("chance") ? 0.005 : 1e-4
            #expect(found.hosts.mean == row.hosts, "\(row.0)")
            #expect(abs(found.hotHostSampleRate.mean - row.hot) <= tolerance, "\(row.0)")
            #expect(abs(found.hotHosts.mean - row.ever) <= 0.005, "\(row.0)")
            #expect(abs(found.unmetCoreFraction.mean - row.unmet) <= tolerance, "\(row.0)")
        }
    }

    @Test func meansOfTwentyOrdersEqualTheReference() throws {
        let results = try pack(["p95", "p99"], shuffles: 20, seed: 1)
        #expect(results.map(\.hosts.mean) == [14, 15])
        #expect(abs(results[0].hotHostSampleRate.mean - 0.014) < 5e-4)
        #expect(abs(results[0].hotHostSampleRate.max - 0.030) < 5e-4)
        #expect(abs(results[1].hotHostSampleRate.mean - 0.00024) < 1e-5)
        #expect(abs(results[1].hotHostSampleRate.max - 0.0015) < 5e-5)
    }

    @Test func ratesWithoutLearningEqualTheReference() throws {
        let expected: [(String, risk: Double, severity: Double, benefit: Double)] = [
            ("oracle", 0, 0, 0.778), ("static:0.5", 0.032, 0.0007, 0.50),
            ("static:0.4", 0.049, 0.0084, 0.60), ("static:0.3", 0.275, 0.0404, 0.70),
            ("grid:p99", 0.036, 0.0024, 0.527), ("scope:p99", 0.066, 0.0041, 0.690),
            ("same-hour:1d", 0.588, 0.245, 0.818), ("same-hour:7d", 0.232, 0.019, 0.718),
            ("recent:24h", 0.095, 0.011, 0.719), ("recent:7d", 0.016, 0.0003, 0.678),
        ]
        let trace = try UsageTraceReader().read(try UtilizationData.source(Self.august))
        let policies = try expected.map { (row) throws(OptionError) in try RatePolicyName(parsing: row.0) }
        let results = try RateExperiment(options: .init(scopes: 19, policies: policies, seed: 42)).run(trace)
        for (row, found) in zip(expected, results) {
            #expect(abs(found.risk - row.risk) < 0.002, "\(row.0)")
            #expect(abs(found.severity - row.severity) < 0.002, "\(row.0)")
            #expect(abs(found.benefit - row.benefit) < 0.001, "\(row.0)")
        }
    }

    /// With its settings as they are, at a risk of at most 1 % and of no more than that of a week's greatest.
    @Test func learntRatesBeatTheGreatestOfAWeek() throws {
        let trace = try UsageTraceReader().read(try UtilizationData.source(Self.august))
        let policies = try RatePolicyName.policies(parsing: "recent:7d,proto-rate:0.01")
        let results = try RateExperiment(options: .init(scopes: 19, policies: policies, seed: 42)).run(trace)
        #expect(results[1].risk <= 0.01 && results[1].risk <= results[0].risk)
        #expect(results[1].benefit > results[0].benefit)
    }

    /// Peaks of the next day on 19 hosts, for two rules that are quick.
    @Test func predictorsOfManyHostsEqualTheReference() throws {
        let trace = try UsageTraceReader().read(try UtilizationData.source(Self.august))
        let predictors = try PredictorName.predictors(parsing: "phi:0.9,n-sigma:5:120")
        let found = try PredictionExperiment(options: .init(predictors: predictors))
            .judge(trace, hosts: 19, warmUp: 120, seed: 42)
        #expect(found[0].violationRate == 0 && abs(found[0].saved - 0.1) < 1e-3)
        #expect(abs(found[1].violationRate - 0.301) < 1e-3 && abs(found[1].severity - 0.122) < 1e-3)
        #expect(abs(found[1].saved - 0.646) < 1e-3)
    }
}

/// The short days of two other clouds: hosts that are looked at every quarter of an hour, from the hour on in
/// which ten hours are known, against the peak of the next two hours.
extension OversubscriptionDataTests {
    /// Lines of a file as VMs of one core.
    ///
    /// - Parameters:
    ///   - name: of the VM, nil for a line that does not count.
    private func day(
        _ file: String, name: (_ fields: [Substring]) -> String?
    ) throws -> UsageTrace {
        let text = String(
            decoding: try GzipText.bytes(of: try UtilizationData.source(file)), as: UTF8.self)
        let series = text.split(separator: "\n").dropFirst().compactMap { line -> UsageSeries? in
            let fields = line.split(separator: ",", omittingEmptySubsequences: false)
            return name(fields).map { name in
                let samples = fields.dropFirst(3).map { field in
                    let percent = Double(field) ?? 0
                    return UInt16(min(max(0, percent * 100), Double(UsageSeries.full)).rounded())
                }
                return UsageSeries(
                    name: name, cores: 1, startSeconds: 0, stepSeconds: 300, samples: samples)
            }
        }
        return UsageTrace(series: series, stepSeconds: 300)
    }

    private typealias Row = (name: String, violations: Double, severity: Double, saved: Double)

    private func compare(_ rows: [Row], _ trace: UsageTrace, hosts: Int) throws {
        let predictors = try rows.map { (row) throws(OptionError) in try PredictorName(parsing: row.name) }
        let options = PredictionExperiment.Options(
            predictors: predictors, minimumSamples: 24, horizon: 24, oracleEvery: 3)
        let found = try PredictionExperiment(options: options)
            .judge(trace, hosts: hosts, warmUp: 120, seed: 42)
        for (row, judged) in zip(rows, found) {
            #expect(abs(judged.violationRate - row.violations) < 1e-3, "\(row.name): \(judged)")
            #expect(abs(judged.severity - row.severity) < 1e-3, "\(row.name): \(judged)")
            #expect(abs(judged.saved - row.saved) < 1e-3, "\(row.name): \(judged)")
        }
    }

    @Test func predictorsOfTasksEqualTheReference() throws {
        let trace = try day("google2011_gcd_1600vm_cpu_mem_pct.csv.gz") { fields in
            fields[1] == "cpu" ? String(fields[0]) : nil
        }
        try #require(trace.series.count == 1600)
        try compare(
            [
                ("n-sigma:3:120", 0.261, 0.011, 0.747), ("n-sigma:5:120", 0.039, 0.0007, 0.719),
                ("vm:p95:120", 0.076, 0.0019, 0.743), ("vm:p99:120", 0.0046, 0.0001, 0.725),
                ("n-sigma:5:120+vm:p99:120", 0.0029, 0, 0.712),
            ], trace, hosts: 50)
    }

    @Test func predictorsOfSharedMachinesEqualTheReference() throws {
        let trace = try day("planetlab_2011_cpu_pct.csv.gz") { fields in
            fields[0] == "20110303" ? String(fields[1]) : nil
        }
        try #require(trace.series.count == 1052)
        try compare(
            [
                ("n-sigma:3:120", 0.132, 0.0055, 0.829), ("n-sigma:5:120", 0, 0, 0.799),
                ("vm:p90:120", 0.0085, 0.0001, 0.804), ("vm:p95:120", 0, 0, 0.771),
                ("vm:p99:120", 0, 0, 0.683),
            ], trace, hosts: 32)
    }
}
