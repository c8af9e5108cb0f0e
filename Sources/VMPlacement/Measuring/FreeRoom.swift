public import Fleet

/// Free CPU and memory of hosts, apart from the cell they are of: to be measured while the cell goes on.
public struct FreeRoom: Sendable {
    /// Milli-vCPU and MiB, by host.
    private var cpu: [Int] = []
    private var memory: [Int] = []
    /// Of each host, in use or not.
    private var usable: [Resources] = []
    /// Of all hosts together, in use or not.
    private var milliCPU = 0
    private var memoryMiB = 0
    /// Hosts without a VM.
    public private(set) var emptyHosts = 0
    /// Most CPU and most memory that a host has to give away, in use or not.
    public private(set) var largestHost = Resources.zero

    init() {}

    /// Hosts.
    public var hosts: Int { cpu.count }

    mutating func add(_ host: HostRoom, isEmpty: Bool) {
        let free = (max(0, host.freeGuaranteedMilliCPU), max(0, host.freeMemoryMiB))
        let all = Resources(milliCPU: host.usableMilliCPU, memoryMiB: host.usableMemoryMiB)
        add(milliCPU: free.0, memoryMiB: free.1, of: all)
        if isEmpty { emptyHosts += 1 }
    }

    private mutating func add(milliCPU free: Int, memoryMiB freeMemory: Int, of all: Resources) {
        cpu.append(free)
        memory.append(freeMemory)
        usable.append(all)
        milliCPU += all.milliCPU
        memoryMiB += all.memoryMiB
        largestHost.milliCPU = max(largestHost.milliCPU, all.milliCPU)
        largestHost.memoryMiB = max(largestHost.memoryMiB, all.memoryMiB)
    }

    /// How many VMs of a size fit now.
    public func copies(of shape: Resources) -> Int {
        guard shape.milliCPU + shape.memoryMiB > 0 else { return 0 }
        return cpu.indices.reduce(0) { count, host in
            let byCPU = shape.milliCPU > 0 ? cpu[host] / shape.milliCPU : .max
            return count + min(byCPU, shape.memoryMiB > 0 ? memory[host] / shape.memoryMiB : .max)
        }
    }

    /// What is left when the hosts are filled up: VMs of the mix are drawn one by one and placed by best fit;
    /// a size that fits nowhere is drawn no more, and when none is left the room that is free is stranded.
    /// The mean of `rounds` such fillings. Constraints beside CPU and memory are not looked at.
    ///
    /// - Parameters:
    ///   - mix: in an order that does not depend on chance; sizes without CPU and memory are left out.
    ///   - seed: of the draws.
    ///   - stepsAtMost: hosts that one filling looks at; where more are needed, as many hosts as that allows
    ///     are taken in even steps of their order, and stand for all.
    /// - Returns: nil without hosts, and for an empty mix.
    public func stranding(
        of mix: [ShapeShare], rounds: Int = 5, seed: UInt64 = 0, stepsAtMost: Int = .max
    ) -> Stranding? {
        let mix = mix.filter { $0.weight > 0 && $0.shape.milliCPU + $0.shape.memoryMiB > 0 }
        guard rounds > 0, !mix.isEmpty else { return nil }
        let start = stepsAtMost == .max ? self : sample(hostsWithin(stepsAtMost, mix))
        guard start.milliCPU > 0, start.memoryMiB > 0 else { return nil }
        var sum = Stranding(cpu: 0, memory: 0)
        for round in 0..<rounds {
            var room = start
            room.fill(mix, SplitMix64(seed: seed &+ UInt64(round)))
            sum.cpu += Double(room.cpu.reduce(0, +)) / Double(start.milliCPU)
            sum.memory += Double(room.memory.reduce(0, +)) / Double(start.memoryMiB)
        }
        return Stranding(cpu: sum.cpu / Double(rounds), memory: sum.memory / Double(rounds))
    }

    /// Each VM that is put somewhere looks at every host, so that the steps grow with the square of hosts.
    private func hostsWithin(_ steps: Int, _ mix: [ShapeShare]) -> Int {
        guard hosts > 0 else { return 0 }
        let total = Double(mix.reduce(0) { $0 + $1.weight })
        func mean(_ of: (Resources) -> Int) -> Double {
            max(1, mix.reduce(0.0) { $0 + Double(of($1.shape) * $1.weight) } / total)
        }
        let perHost =
            max(
                1,
                min(
                    Double(cpu.reduce(0, +)) / mean(\.milliCPU),
                    Double(memory.reduce(0, +)) / mean(\.memoryMiB))) / Double(hosts)
        return max(1, Int((Double(steps) / max(perHost, 1)).squareRoot()))
    }

    /// As many hosts in even steps of their order.
    private func sample(_ count: Int) -> FreeRoom {
        guard count < hosts else { return self }
        var found = FreeRoom()
        for host in (0..<count).map({ $0 * hosts / count }) {
            found.add(milliCPU: cpu[host], memoryMiB: memory[host], of: usable[host])
        }
        return found
    }

    private mutating func fill(_ mix: [ShapeShare], _ random: SplitMix64) {
        var mix = mix
        var random = random
        while !mix.isEmpty {
            let total = mix.reduce(0) { $0 + $1.weight }
            var draw = Int(random.next() % UInt64(total))
            let index = mix.firstIndex { share in
                draw -= share.weight
                return draw < 0
            }
            guard let index else { return }
            if !take(mix[index].shape) { mix.remove(at: index) }
        }
    }

    /// Best fit: the host with the least left over, as shares of a host, the first of equals.
    private mutating func take(_ shape: Resources) -> Bool {
        var best: Int?
        var least = Int.max
        for host in cpu.indices where cpu[host] >= shape.milliCPU && memory[host] >= shape.memoryMiB {
            // Free shares over a common denominator: exact, and the same for every host.
            let left = cpu[host] * memoryMiB / 1024 + memory[host] * milliCPU / 1024
            guard left < least else { continue }
            best = host
            least = left
        }
        guard let best else { return false }
        cpu[best] -= shape.milliCPU
        memory[best] -= shape.memoryMiB
        return true
    }
}

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
private struct SplitMix64 {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
