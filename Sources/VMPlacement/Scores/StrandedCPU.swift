import Fleet

/// By how much more CPU the request leaves without memory for it, in eighths of a host's CPU: 3 is none or
/// little, below that it uses what was stranded. Memory goes first where VMs that ask for much of it come in
/// bursts, and what CPU is left then serves nobody.
struct StrandedCPU: PlacementScore {
    static let bits = 4
    private static let parts: Int64 = 8
    private static let neutral: Int64 = 3
    private static let most: Int64 = 8

    /// MiB that the usual VM has per vCPU; nil while there is none.
    private let memoryPerCPU: Int64?

    init(_ usual: Resources?) {
        memoryPerCPU = usual.flatMap { usual in
            usual.milliCPU > 0 && usual.memoryMiB > 0
                ? max(1, Int64(usual.memoryMiB) * 1000 / Int64(usual.milliCPU)) : nil
        }
    }

    @inline(__always)
    func value(of slot: Int, for request: CompiledRequest, in hosts: ScoredColumns) -> UInt64 {
        guard let memoryPerCPU, hosts.cpu.weight[slot] > 0 else { return UInt64(Self.neutral) }
        let cpu = Int64(hosts.cpu.room[slot])
        let memory = Int64(hosts.memoryRoom[slot])
        let before = max(0, cpu - memory * 1000 / memoryPerCPU)
        let left = (cpu - Int64(request.milliCPU), memory - Int64(request.memoryMiB))
        let more = max(0, left.0 - left.1 * 1000 / memoryPerCPU) - before
        let step = max(1, PackingScale.one / hosts.cpu.weight[slot] / Self.parts)
        // Rounded to the nearest step: halves go up.
        let steps = (more + step / 2 + Self.neutral * step) / step
        return UInt64(min(max(steps, 0), Self.most))
    }

    func words(_ value: UInt64) -> [String] {
        let steps = Int64(value) - Self.neutral
        return [steps == 0 ? "strandedCPU=0" : "strandedCPU=\(steps > 0 ? "+" : "")\(steps)/\(Self.parts)"]
    }
}
