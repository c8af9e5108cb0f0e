import Replay

/// A trace from lines of text.
func read(_ text: String, shard: Shard? = nil) throws(TraceError) -> VMTrace {
    try VMTraceReader(shard: shard).read(.bytes(Array(text.utf8), name: "t.csv"))
}

func vm(_ arrival: Int64, _ departure: Int64, vCPU: Int32 = 1, gibibytes: Int32 = 1) -> TraceVM {
    TraceVM(
        arrival: arrival * 1_000_000, departure: departure * 1_000_000, milliCPU: vCPU * 1000,
        memoryMiB: gibibytes * 1024)
}
