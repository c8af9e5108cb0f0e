import APITypes
import Oversubscription
import Replay
import Testing

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
