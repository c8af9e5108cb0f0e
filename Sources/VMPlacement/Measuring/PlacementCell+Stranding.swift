public import Fleet

/// Room that nothing usual fits into, as shares of all hosts' CPU and memory, from 0 to 1.
public struct Stranding: Sendable, Hashable {
    public var cpu: Double
    public var memory: Double

    public init(cpu: Double, memory: Double) {
        self.cpu = cpu
        self.memory = memory
    }
}

/// One size of the VMs that a cell is filled up with.
public struct ShapeShare: Sendable, Hashable {
    public var shape: Resources
    /// How often it is asked for, against the others.
    public var weight: Int

    public init(_ shape: Resources, weight: Int) {
        self.shape = shape
        self.weight = weight
    }
}

extension PlacementCell {
    /// What is left of the cell when it is filled up: VMs of the mix are drawn one by one and placed by best
    /// fit; a size that fits nowhere is drawn no more, and when none is left the room that is free is
    /// stranded. The mean of `rounds` such fillings. The cell itself does not change; constraints beside CPU
    /// and memory are not looked at.
    ///
    /// - Parameters:
    ///   - pool: whose hosts are filled; nil fills all.
    ///   - mix: in an order that does not depend on chance; sizes without CPU and memory are left out.
    ///   - seed: of the draws.
    /// - Returns: nil for a cell without hosts that admit VMs, and for an empty mix.
    public func stranding(
        of mix: [ShapeShare], pool: String? = nil, rounds: Int = 5, seed: UInt64 = 0
    ) -> Stranding? {
        let mix = mix.filter { $0.weight > 0 && $0.shape.milliCPU + $0.shape.memoryMiB > 0 }
        let start = FreeRoom(hosts, pool: pool.map { pools.number(of: $0) ?? CompiledRequest.unseen })
        guard rounds > 0, !mix.isEmpty, start.milliCPU > 0, start.memoryMiB > 0 else { return nil }
        var sum = Stranding(cpu: 0, memory: 0)
        for round in 0..<rounds {
            var room = start
            room.fill(mix, SplitMix64(seed: seed &+ UInt64(round)))
            sum.cpu += Double(room.freeMilliCPU) / Double(start.milliCPU)
            sum.memory += Double(room.freeMemoryMiB) / Double(start.memoryMiB)
        }
        return Stranding(cpu: sum.cpu / Double(rounds), memory: sum.memory / Double(rounds))
    }

    /// How many VMs of a size the cell could take now, no other VM coming or going.
    public func obtainable(_ shape: Resources) -> Int { FreeRoom(hosts).copies(of: shape) }
}

/// Free CPU and memory of the hosts that admit VMs.
private struct FreeRoom {
    private var cpu: [Int] = []
    private var memory: [Int] = []
    /// Of all hosts together, milli and MiB.
    private(set) var milliCPU = 0
    private(set) var memoryMiB = 0

    /// - Parameter pool: number of the pool; nil takes all.
    init(_ hosts: HostTable, pool: Int32? = nil) {
        for row in hosts.rows where row.refusal == nil && pool ?? row.tag.pool == row.tag.pool {
            cpu.append(max(0, row.room.freeGuaranteedMilliCPU))
            memory.append(max(0, row.room.freeMemoryMiB))
            milliCPU += row.room.usableMilliCPU
            memoryMiB += row.room.usableMemoryMiB
        }
    }

    var freeMilliCPU: Int { cpu.reduce(0, +) }
    var freeMemoryMiB: Int { memory.reduce(0, +) }

    func copies(of shape: Resources) -> Int {
        guard shape.milliCPU + shape.memoryMiB > 0 else { return 0 }
        return cpu.indices.reduce(0) { count, host in
            let byCPU = shape.milliCPU > 0 ? cpu[host] / shape.milliCPU : .max
            return count + min(byCPU, shape.memoryMiB > 0 ? memory[host] / shape.memoryMiB : .max)
        }
    }

    mutating func fill(_ mix: [ShapeShare], _ random: SplitMix64) {
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
