import Foundation
import Replay
import Testing

@Suite struct TraceReaderTests {
    private static let plain = "arrive_s,depart_s,vcpu,mem_gb\n0,60,2,3.5\n30,31,0.5,1.75\n"
    private static let expected = VMTrace(vms: [
        TraceVM(arrival: 0, departure: 60_000_000, milliCPU: 2000, memoryMiB: 3584),
        TraceVM(arrival: 30_000_000, departure: 31_000_000, milliCPU: 500, memoryMiB: 1792),
    ])

    /// Texts that all say the same.
    @Test(arguments: [
        plain,
        plain.replacing("\n", with: "\r\n"),
        String(plain.dropLast()),
        "\u{FEFF}" + plain,
        "\n  \n" + plain.replacing("\n", with: "\n\n"),
        "mem_gb,other,vcpu,depart_s,arrive_s\n3.5,a,2,60,0\n1.75,b,0.5,31,30\n",
        "\"arrive_s\",\"depart_s\",\"note\",\"vcpu\",\"mem_gb\"\n"
            + "\"0\",60,\"a, \"\"b\"\"\",\"2\",3.5\n30,\"31\",,0.5,1.75,more,fields\n",
        " Arrive_S , depart_s,VCPU,mem_gb \n 0 ,\t60, 2 ,3.5 \n30.0,31.000000,0.5,1.75\n",
    ])
    func readsTheSameTrace(text: String) throws {
        #expect(try read(text) == Self.expected)
    }

    @Test func amountsAreRoundedUpAndTimesKeepMicroseconds() throws {
        let trace = try read("arrive_s,depart_s,vcpu,mem_gb\n0.000001,1.5,0.0001,0.1\n0,0,1.0005,0.0000001\n")
        #expect(
            trace.vms == [
                TraceVM(arrival: 1, departure: 1_500_000, milliCPU: 1, memoryMiB: 103),
                TraceVM(arrival: 0, departure: 0, milliCPU: 1001, memoryMiB: 1),
            ])
    }

    @Test func aShardKeepsItsBatches() throws {
        let text = "batch_id,arrive_s,depart_s,vcpu,mem_gb\n0,0,9,1,1\n1,1,9,1,1\n8,2,9,1,1\n9,3,9,1,1\n"
        let kept = try read(text, shard: Shard(index: 1, count: 8)).vms.map { $0.arrival / 1_000_000 }
        #expect(kept == [1, 3])
        // Without a shard nobody asks what a batch is called.
        #expect(try read(text.replacing("\n8,", with: "\nx,")).vms.count == 4)
    }

    @Test func linesMayLieAcrossChunksOfAFile() throws {
        let row = "\(Int.max % 1_000_000),1000000,1,1.75,\(String(repeating: "x", count: 50))\n"
        let text = "arrive_s,depart_s,vcpu,mem_gb,note\n" + String(repeating: row, count: 20_000)
        let file = FileManager.default.temporaryDirectory.appending(path: "basalt-trace-\(getpid()).csv")
        try Data(text.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let trace = try VMTraceReader().read(TraceSource(argument: file.path))
        #expect(trace.vms.count == 20_000)
        #expect(Set(trace.vms).count == 1)
    }

    @Test func aDashIsTheStandardInput() {
        #expect(TraceSource(argument: "-") == .standardInput)
    }
}
