/// Every waiting job has a reservation, in the order of submission: who comes later starts sooner only where it
/// delays none of those before it (conservative backfilling; Mu'alem and Feitelson, TPDS 2001).
public struct ConservativePolicy: TrainingPolicy, Hashable {
    /// Seconds from a grant to the first step.
    public var restart: Double
    /// Jobs that get a reservation in one round; those behind them wait. As many as Slurm looks at by default.
    public var depth: Int

    public init(restart: Double = 78, depth: Int = 500) {
        self.restart = restart
        self.depth = depth
    }

    public func round(_ state: RoundState) -> RoundDecision {
        var work = RoundWork(state)
        var profile = RoomProfile(work, restart: restart)
        var isFirst = true
        for (place, index) in work.bySubmission(work.pending).enumerated() {
            let job = work.jobs[index]
            let point = job.job.submitted
            let seconds = job.seconds(point, restart: restart)
            guard place < depth, let found = profile.earliest(point, seconds: seconds) else {
                work.waits.append(work.reason(job.job, holding: !isFirst))
                continue
            }
            profile.take(found.grant, from: found.start, to: found.start + seconds)
            guard found.start > state.now else {
                work.assign(index, found.grant, isFirst ? .admitted : .backfilled)
                continue
            }
            isFirst = false
            work.waits.append(
                WaitReason(
                    job: job.job.id, token: .reserved, shortfallGPUs: max(0, point.gpus - work.room.freeGPUs),
                    needs: point.placement, startsAt: found.start))
        }
        return work.decision
    }
}

/// Free room over time: what running jobs give back when they end, and what is kept from a time to another.
struct RoomProfile {
    /// In order; the first is now. Each room lasts to the next time, the last for ever.
    private var times: [Double]
    private var rooms: [FreeRoom]

    init(_ work: RoundWork, restart: Double) {
        let now = work.state.now
        times = [now]
        rooms = [work.room]
        let ends = work.jobs.indices.filter { work.grants[$0] != nil }.map {
            (time: now + work.secondsLeft($0, restart: restart), index: $0)
        }.sorted { $0.time != $1.time ? $0.time < $1.time : $0.index < $1.index }
        for end in ends where end.time.isFinite {
            guard let grant = work.grants[end.index] else { continue }
            let moment = place(of: end.time)
            for later in moment..<rooms.count { rooms[later].give(grant) }
        }
    }

    /// The first time from which on a point has room for so long.
    func earliest(_ point: SpeedPoint, seconds: Double) -> (start: Double, grant: Grant)? {
        var from = 0
        search: while from < times.count {
            guard rooms[from].place(point) != nil else {
                from += 1
                continue
            }
            var common = rooms[from]
            var next = from + 1
            while next < times.count, times[next] < times[from] + seconds {
                // Every start before this moment would run into it.
                guard rooms[next].place(point) != nil else {
                    from = next + 1
                    continue search
                }
                common.limit(to: rooms[next])
                next += 1
            }
            if let grant = common.place(point) { return (times[from], grant) }
            from += 1
        }
        return nil
    }

    mutating func take(_ grant: Grant, from start: Double, to end: Double) {
        let first = place(of: start)
        let last = place(of: end)
        for moment in first..<last { rooms[moment].take(grant) }
    }

    /// The moment of a time, made where there is none yet.
    private mutating func place(of time: Double) -> Int {
        let index = times.partitioningIndex { $0 >= time }
        if index < times.count, times[index] == time { return index }
        guard index > 0 else { return 0 }
        times.insert(time, at: index)
        rooms.insert(rooms[index - 1], at: index)
        return index
    }
}

extension [Double] {
    /// First place of a sorted array whose element passes.
    fileprivate func partitioningIndex(_ passes: (Double) -> Bool) -> Int {
        var low = startIndex
        var high = endIndex
        while low < high {
            let middle = (low + high) / 2
            if passes(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension FreeRoom {
    /// Leaves of every node what both rooms have.
    mutating func limit(to other: FreeRoom) {
        for node in nodes.indices { lower(node, to: other) }
    }
}
