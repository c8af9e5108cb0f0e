import Fleet

/// The hosts of a cell in the order of their ids, as parallel arrays: a scan that keeps the first of equal
/// keys decides ties by id, whatever order the hosts came in.
struct HostTable: Sendable {
    /// What one CPU promise sees of the hosts.
    struct CPUColumns: Sendable {
        /// Largest request that admission takes, milli-vCPU; negative where nothing fits.
        var room: [Int32] = []
        /// `PackingScale.one` divided by the capacity for this promise.
        var weight: [Int64] = []
        /// Free share of CPU plus free share of memory, in units of `PackingScale.one`.
        var packing: [Int64] = []
    }

    private(set) var keys: [HostKey] = []
    private(set) var rows: [HostRow] = []
    private(set) var tags: [HostTag] = []
    private(set) var guaranteed = CPUColumns()
    private(set) var shared = CPUColumns()
    /// Largest request that admission takes, MiB; negative where nothing fits.
    private(set) var memoryRoom: [Int32] = []
    private(set) var memoryWeight: [Int64] = []
    private(set) var isEmpty: [UInt8] = []
    private(set) var hasDevices: [UInt8] = []

    var count: Int { keys.count }

    /// Position of a host, or nil.
    func slot(of key: HostKey) -> Int? {
        let slot = insertionPoint(of: key)
        return slot < keys.count && keys[slot] == key ? slot : nil
    }

    private func insertionPoint(of key: HostKey) -> Int {
        // Ids made by time arrive in order, so the end is the usual place.
        if let last = keys.last, last < key { return keys.count }
        var low = 0
        var high = keys.count
        while low < high {
            let middle = (low + high) / 2
            if keys[middle] < key { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Adds a host that the table does not hold, and returns its position.
    mutating func insert(_ row: HostRow) -> Int {
        let key = HostKey(row.id)
        let slot = insertionPoint(of: key)
        keys.insert(key, at: slot)
        rows.insert(row, at: slot)
        tags.insert(row.tag, at: slot)
        guaranteed.insert(at: slot)
        shared.insert(at: slot)
        memoryRoom.insert(0, at: slot)
        memoryWeight.insert(0, at: slot)
        isEmpty.insert(0, at: slot)
        hasDevices.insert(0, at: slot)
        refresh(slot)
        return slot
    }

    mutating func remove(at slot: Int) {
        keys.remove(at: slot)
        rows.remove(at: slot)
        tags.remove(at: slot)
        guaranteed.remove(at: slot)
        shared.remove(at: slot)
        memoryRoom.remove(at: slot)
        memoryWeight.remove(at: slot)
        isEmpty.remove(at: slot)
        hasDevices.remove(at: slot)
    }

    mutating func reserveCapacity(_ count: Int) {
        keys.reserveCapacity(count)
        rows.reserveCapacity(count)
    }

    /// Changes a row and brings the columns up to date.
    mutating func update(_ slot: Int, _ change: (inout HostRow) -> Void) {
        change(&rows[slot])
        refresh(slot)
    }

    private mutating func refresh(_ slot: Int) {
        let room = rows[slot].room
        let refuses = rows[slot].refusal != nil
        let free = PackingScale.Shares(room)
        memoryRoom[slot] = refuses ? .min : Int32(clamping: room.freeMemoryMiB)
        memoryWeight[slot] = free.memoryWeight
        guaranteed.room[slot] = refuses ? .min : Int32(clamping: room.freeGuaranteedMilliCPU)
        guaranteed.weight[slot] = free.guaranteedWeight
        guaranteed.packing[slot] = free.guaranteed
        shared.room[slot] = refuses ? .min : Int32(clamping: room.freeSharedMilliCPU)
        shared.weight[slot] = free.sharedWeight
        shared.packing[slot] = free.shared
        tags[slot] = rows[slot].tag
        isEmpty[slot] = rows[slot].allocations == 0 ? 1 : 0
        hasDevices[slot] = rows[slot].devices.isEmpty ? 0 : 1
    }
}

extension HostTable.CPUColumns {
    mutating func insert(at slot: Int) {
        room.insert(0, at: slot)
        weight.insert(0, at: slot)
        packing.insert(0, at: slot)
    }

    mutating func remove(at slot: Int) {
        room.remove(at: slot)
        weight.remove(at: slot)
        packing.remove(at: slot)
    }
}
