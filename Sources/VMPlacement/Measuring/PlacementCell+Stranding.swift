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
    /// `FreeRoom.stranding(of:rounds:seed:)` of the hosts of a pool, or of all.
    public func stranding(
        of mix: [ShapeShare], pool: String? = nil, rounds: Int = 5, seed: UInt64 = 0
    ) -> Stranding? {
        freeRoom(ofPool: pool).stranding(of: mix, rounds: rounds, seed: seed)
    }

    /// How many VMs of a size the cell could take now, no other VM coming or going.
    public func obtainable(_ shape: Resources) -> Int { freeRoom().copies(of: shape) }

    /// Free room of the hosts that admit VMs.
    ///
    /// - Parameter pool: hosts of this pool only.
    public func freeRoom(ofPool pool: String? = nil) -> FreeRoom {
        var room = FreeRoom()
        let number = pool.map { pools.number(of: $0) ?? CompiledRequest.unseen }
        for slot in 0..<hosts.count where number == nil || hosts.tags[slot].pool == number {
            guard hosts.rows[slot].refusal == nil else { continue }
            room.add(hosts.rows[slot].room, isEmpty: hosts.isEmpty[slot] == 1)
        }
        return room
    }
}
