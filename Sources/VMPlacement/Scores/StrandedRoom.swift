import Fleet

/// What would be left of the host that the usual shapes cannot use: the leftover is filled with them, the
/// largest first, and what remains is waste. In 255ths of a host per resource, so that best fit decides among
/// hosts that are about as wasteful. A reconstruction: the form in use at Google is not published.
struct StrandedRoom: PlacementScore {
    static let bits = 9
    private static let steps: Int64 = 255

    /// Largest first.
    private let shapes: [Resources]

    init(_ shapes: [Resources]) { self.shapes = shapes }

    @inline(__always)
    func value(of slot: Int, for request: CompiledRequest, in hosts: ScoredColumns) -> UInt64 {
        var milliCPU = Int(hosts.cpu.room[slot] - request.milliCPU)
        var memoryMiB = Int(hosts.memoryRoom[slot] - request.memoryMiB)
        for shape in shapes {
            let count = min(milliCPU / max(shape.milliCPU, 1), memoryMiB / max(shape.memoryMiB, 1))
            milliCPU -= count * shape.milliCPU
            memoryMiB -= count * shape.memoryMiB
        }
        let cpu = min(Int64(milliCPU) * hosts.cpu.weight[slot], PackingScale.one)
        let memory = min(Int64(memoryMiB) * hosts.memoryWeight[slot], PackingScale.one)
        let step = PackingScale.one / Self.steps
        return UInt64(cpu / step + memory / step)
    }

    func words(_ value: UInt64) -> [String] { ["waste=\(value)/\(Self.steps)"] }
}
