import APITypes
import Fleet
import Foundation
import Oversubscription
import Replay
import Testing
import VMPlacement

@testable import CommandLine

/// Whatever a file or an argument holds, the CLI answers a value or one line, and never ends otherwise.
@Suite(.serialized) struct FileFuzzTests {
    private static let documents = """
        apiVersion: basalt/v1
        kind: VM
        metadata: {name: web-1, project: shop, labels: {tier: web}}
        spec:
          cell: east
          resources: {milliCPU: 2000, memoryMiB: 4096}
        ---
        kind: Pool
        metadata: &a {name: vms}
        spec: {cell: east, admits: [vm], cpuRatioPerMille: 1500}
        """

    @Test func yamlDocuments() throws {
        try Campaign("YAML documents").run { mutator in
            let text = String(decoding: mutator.damaged(Self.documents), as: UTF8.self)
            do {
                let drafts = try DocumentFile.drafts(text, name: "web.yaml")
                return drafts.allSatisfy { $0.place.hasPrefix("web.yaml") } ? nil : "no place"
            } catch let failure as CommandFailure {
                return "\(failure)".contains("\n") ? "more than a line: \(failure)" : nil
            }
        }
    }

    /// Small files that unfold without end, or nest deeper than a stack.
    @Test(arguments: [
        String(repeating: "[", count: 10_000), String(repeating: "{a: ", count: 10_000),
        String(repeating: "- ", count: 10_000) + "x",
        (1...40).reduce("a0: &a0 [x]\n") { $0 + "a\($1): &a\($1) [*a\($1 - 1), *a\($1 - 1), *a\($1 - 1)]\n" },
        "a: &a [*a]", "a: &a {<<: *a}",
    ])
    func yamlBombs(_ text: String) {
        #expect(throws: CommandFailure.self) { try DocumentFile.drafts(text, name: "bomb.yaml") }
    }

    @Test func traces() throws {
        let trace =
            "arrive_s,depart_s,vcpu,mem_gb,batch_id\n0,1.5,2,4,a\n1,3600,0.5,0.25,b\n\"2\",9,1,1,\"c\"\"d\"\n"
        try Campaign("traces").run { mutator in
            do {
                let bytes = mutator.damaged(trace)
                let read = try VMTraceReader().read(.bytes(bytes, name: "t.csv"))
                return read.vms.allSatisfy { $0.departure >= $0.arrival && $0.milliCPU > 0 } ? nil : "\(read)"
            } catch let error as TraceError {
                return "\(error)".contains("t.csv") ? nil : "names no file: \(error)"
            }
        }
    }

    @Test func importedTraces() throws {
        let seeds: [(TraceFormat, String)] = [
            (.huawei, "vmid,cpu,memory,time,type\n1,2,4,10,0\n2,1,2,20,0\n1,2,4,50,1\n"),
            (
                .azureV2,
                "v1,sub,dep1,300,600,91.7,0.7,20.8,Unknown,4,32\nv2,sub,dep2,0,900,1,1,1,Unknown,>24,>64\n"
            ),
            (
                .azurePacking2020,
                "vmId,tenantId,priority,starttime,endtime,core,memory\n1,7,0,-1.5,0.5,0.125,0.25\n"
            ),
        ]
        let machine = try HostShape(parsing: "64x192")
        try Campaign("imported traces").run { mutator in
            let (format, text) = mutator.pick(seeds)
            do {
                let bytes = mutator.damaged(text)
                let outcome = try TraceImporter(format: format, machine: machine)
                    .read(.bytes(bytes, name: "t.csv"))
                return outcome.vms > 0 && outcome.text.hasPrefix("arrive_s,") ? nil : "\(outcome)"
            } catch let error as TraceError {
                return "\(error)".contains("t.csv") ? nil : "names no file: \(error)"
            }
        }
    }

    @Test func modelsOfLifetimes() throws {
        var trees = TreeEnsemble(base: 0.5, featureCount: 2)
        try trees.append([.init(feature: 1, left: 1, value: 2), .leaf(1.5), .leaf(2.5)])
        let encoder = FeatureEncoder([
            ModelFeature(name: "uptime", kind: .number),
            ModelFeature(name: "project", kind: .category(values: ["a": 3], otherwise: 2)),
        ])
        let file = try LifetimeModelFile(
            BoostedLifetimeModel(encoder: encoder, trees: trees, calibration: .none),
            training: .init(from: 0, until: 1, vms: 1, censored: 0, examples: 1, seed: 1, dataHash: "0"),
            metrics: .init(trees: 1, trainingError: 1, validationError: 1), capSeconds: 604_800
        ).data()
        let text = String(decoding: file, as: UTF8.self)
        let features = VMFeatures(resources: .zero, project: "a")
        try Campaign("models of lifetimes").run { mutator in
            do {
                // What is read predicts, whatever became of the rest.
                let model = try LifetimeModelFile(Data(mutator.damaged(text))).model
                return model.expectedRemaining(uptime: 5, of: features).isFinite ? nil : "no prediction"
            } catch let error as LifetimeModelError {
                return error.field.isEmpty ? "names no field: \(error)" : nil
            }
        }
    }

    @Test func tracesOfUse() throws {
        let trace = "vm,cores,t0_unix,step_s,values_cpu_pct_x100\n1,2,0,300,5,,10000\n\"2\",0.5,7,300,12.5\n"
        try Campaign("traces of use").run { mutator in
            do {
                let bytes = mutator.damaged(trace)
                let read = try UsageTraceReader().read(.bytes(bytes, name: "u.csv"))
                return read.series.allSatisfy { $0.cores >= 0 && $0.stepSeconds > 0 } ? nil : "\(read)"
            } catch let error as TraceError {
                return "\(error)".contains("u.csv") ? nil : "names no file: \(error)"
            }
        }
    }

    @Test func quantitiesAndDurations() throws {
        let seeds = ["2", "0.5", "500m", "4GiB", "1.5TiB", "512MiB", "1h30m", "500ms", "2d", "30s"]
        try Campaign("quantities and durations").run { mutator in
            let text = String(decoding: mutator.damaged(mutator.pick(seeds)), as: UTF8.self)
            for read in [
                { try Quantity.milliCPU(text) > 0 }, { try Quantity.memoryMiB(text) > 0 },
                { try DurationText.parse(text) >= .zero },
            ] {
                do {
                    if try !read() { return "\"\(text)\" is not positive" }
                } catch is CommandFailure {
                    continue
                }
            }
            return nil
        }
    }
}
