extension HostTable {
    /// Position of the feasible host with the lowest key, ties to the lowest id; nil when no host is
    /// feasible.
    func best(for request: CompiledRequest, by score: some PlacementScore) -> Int? {
        let columns = ScoredColumns(self, guaranteed: request.isGuaranteed)
        let isPlain = request.isPlain
        var best: Int?
        var lowest = UInt64.max
        for slot in 0..<count
        where columns.cpu.room[slot] >= request.milliCPU && memoryRoom[slot] >= request.memoryMiB {
            if !isPlain, !request.admits(slot, of: self) { continue }
            let key = score.value(of: slot, for: request, in: columns)
            guard key < lowest else { continue }
            best = slot
            lowest = key
            // Nothing is below zero, and later hosts lose ties.
            if key == 0 { break }
        }
        return best
    }
}
