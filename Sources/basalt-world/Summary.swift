internal import FaultLab
internal import Fleet
internal import Foundation
internal import World

/// What became of many worlds.
struct Summary {
    private struct Row: Encodable {
        var seeds: Int
        var simulatedHours: Double
        var steps: Int
        var vms: Int
        var violations: Int
        var failedSeeds: [UInt64]
        var faultsInjected: [String: Int]
        /// Seconds; absent where nothing was measured.
        var mttd: Double?
        var mttr: Double?
        var byKind: [String: Times]
        /// Of all seeds' traces, in order of the seeds.
        var traceHash: String
        var wallSeconds: Double
    }

    private struct Times: Encodable {
        var detected: Int
        var mttd: Double?
        var repaired: Int
        var mttr: Double?
    }

    private let hours: Double
    private var reports: [WorldReport] = []
    var wallSeconds = 0.0

    init(hours: Double) { self.hours = hours }

    mutating func add(_ report: WorldReport) { reports.append(report) }

    var violations: Int { reports.reduce(0) { $0 + $1.violations.count } }

    private var row: Row {
        let sorted = reports.sorted { $0.seed < $1.seed }
        var faults: [FaultKind: Int] = [:]
        var (detection, repair): ([FaultKind: [Double]], [FaultKind: [Double]]) = ([:], [:])
        for report in sorted {
            faults.merge(report.faultsInjected, uniquingKeysWith: +)
            detection.merge(report.detection, uniquingKeysWith: +)
            repair.merge(report.repair, uniquingKeysWith: +)
        }
        var byKind: [String: Times] = [:]
        for kind in Set(detection.keys).union(repair.keys).sorted() {
            let (seen, back) = (detection[kind] ?? [], repair[kind] ?? [])
            byKind[kind.rawValue] = Times(
                detected: seen.count, mttd: seen.mean, repaired: back.count, mttr: back.mean)
        }
        let hash = sorted.reduce(UInt64(0)) { ($0 &* 0x0000_0100_0000_01B3) ^ $1.traceHash }
        return Row(
            seeds: sorted.count, simulatedHours: hours * Double(sorted.count),
            steps: sorted.reduce(0) { $0 + $1.steps }, vms: sorted.reduce(0) { $0 + $1.vms },
            violations: violations, failedSeeds: sorted.filter { !$0.violations.isEmpty }.map(\.seed),
            faultsInjected: Dictionary(uniqueKeysWithValues: faults.map { ($0.key.rawValue, $0.value) }),
            mttd: detection.sorted { $0.key < $1.key }.flatMap(\.value).mean,
            mttr: repair.sorted { $0.key < $1.key }.flatMap(\.value).mean, byKind: byKind,
            traceHash: String(hash, radix: 16), wallSeconds: wallSeconds)
    }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(row), as: UTF8.self)
    }

    /// For people.
    var table: String {
        let row = row
        func seconds(_ value: Double?) -> String { value.map { String(format: "%.1f s", $0) } ?? "-" }
        var lines = [
            "seeds       \(row.seeds)", "simulated   \(row.simulatedHours) h", "steps       \(row.steps)",
            "VMs         \(row.vms)", "violations  \(row.violations)", "MTTD        \(seconds(row.mttd))",
            "MTTR        \(seconds(row.mttr))", "trace       \(row.traceHash)", "faults",
        ]
        for (kind, count) in row.faultsInjected.sorted(by: { $0.key < $1.key }) {
            let times = row.byKind[kind].map { ", found \(seconds($0.mttd)), back \(seconds($0.mttr))" } ?? ""
            lines.append("  \(kind.padding(toLength: 22, withPad: " ", startingAt: 0))\(count)\(times)")
        }
        return lines.joined(separator: "\n")
    }
}

extension WorldReport {
    /// For whoever has to find out: the seed, what is broken, and what led to it.
    var failureText: String {
        (["seed \(seed): \(violations.count) violations"] + violations.map { "  \($0)" }
            + ["last events before the first:"] + lastEvents.suffix(60).map { "  \($0)" })
            .joined(separator: "\n")
    }
}

extension [Double] {
    var mean: Double? { isEmpty ? nil : reduce(0, +) / Double(count) }
}
