internal import Fleet
internal import Store
internal import TrainingScheduling

/// What a round of one field looks at, in the scheduler's words, and the way back from them.
struct TrainingSnapshot {
    private(set) var state: RoundState
    /// Jobs of the state, by their number there.
    private(set) var jobs: [TrainingJobRecord] = []
    /// Jobs that no shape of their model fits.
    private(set) var infeasible: [ID<Document>] = []
    let field: TrainingField

    /// What is left of each host beside what jobs of the round hold.
    private struct Left {
        var devices: Int
        var threads: Int
        var memoryMiB: Int

        func fits(_ share: Int, _ point: SpeedPoint) -> Bool {
            devices >= share && threads >= share * point.threadsPerGPU
                && memoryMiB >= share * point.memoryPerGPU
        }

        mutating func take(_ share: Int, _ point: SpeedPoint) {
            devices = max(0, devices - share)
            threads = max(0, threads - share * point.threadsPerGPU)
            memoryMiB = max(0, memoryMiB - share * point.memoryPerGPU)
        }
    }

    init(
        _ field: TrainingField, jobs candidates: [TrainingJobRecord], in model: CellModel,
        speeds: inout TrainingSpeeds, tenants: [Tenant], tenantOf: [String: Int], rules: TrainingRules,
        now: Timestamp
    ) {
        self.field = field
        var reader = Reader(field: field, model: model, rules: rules, now: now)
        var states: [JobState] = []
        for record in candidates {
            guard let seen = reader.look(at: record) else { continue }
            guard let options = speeds.options(of: record, seen.status, on: field.machines) else {
                if seen.grant == nil { infeasible.append(record.uid) }
                continue
            }
            let curve = options.curve.filtered { rules.freedom.permits($0, options.submitted) }
            var state = JobState(
                TrainingJob(
                    id: states.count, name: record.metadata.name,
                    tenant: tenantOf[record.metadata.project ?? ""] ?? 0,
                    isGuaranteed: record.spec.isGuaranteed, submitted: options.submitted,
                    curve: curve.points.isEmpty ? SpeedCurve([options.submitted]) : curve,
                    submittedAt: record.metadata.createdAt.seconds,
                    steps: Double(record.spec.steps)))
            seen.describe(&state, of: record.spec, options, now: now)
            states.append(state)
            jobs.append(record)
        }
        state = RoundState(
            now: now.seconds, room: reader.room(holding: states), jobs: states, tenants: tenants)
    }

    /// Hosts that are not there: nothing that is granted on them can be carried out.
    mutating func add(hosts: Int) {
        var node = field.largest
        node.rack = state.room.nodes.last?.rack ?? 0
        state.room = FreeRoom(state.room, adding: [TrainingNode](repeating: node, count: hosts))
    }

    /// The shape that a grant is, on hosts.
    func promise(_ grant: Grant, message: String, now: Timestamp) -> TrainingPromise {
        TrainingPromise(
            shares: grant.shares.map { .init(host: field.hosts[$0.node].id, devices: $0.gpus) },
            point: grant.point, message: message, since: now)
    }

    // MARK: Reading

    /// A job as the round sees it.
    private struct Seen {
        var status: TrainingJobStatus
        var grant: Grant?
        var phase: JobState.Phase

        func describe(
            _ state: inout JobState, of spec: TrainingJobSpec, _ options: TrainingSpeeds.Options,
            now: Timestamp
        ) {
            let done = grant == nil ? status.checkpointStep : max(status.checkpointStep, status.stepsDone)
            state.grant = grant
            // As fast as is thought now, and not when it was placed: shapes are compared by it.
            let asHeld = ([options.submitted] + options.curve.points).first {
                $0.plan == grant?.point.plan && $0.placement == grant?.point.placement
            }
            if let asHeld { state.grant?.point.secondsPerStep = asHeld.secondsPerStep }
            state.phase = phase
            state.remaining = max(1, Double(spec.steps - done))
            state.restarts = status.reconfigurations
            let held = status.shapeSince.map { max(0, now.since($0).inSeconds) } ?? 0
            state.heldSeconds = status.heldSeconds + held
            state.attained = state.heldSeconds * Double(grant?.gpus ?? spec.devices)
            state.pendingSince = (status.pendingSince ?? now).seconds
            state.firstStart = status.startedAt?.seconds
            state.checkpointAt = (status.checkpointAt ?? status.runningAt)?.seconds
        }
    }

    private struct Reader {
        let field: TrainingField
        let model: CellModel
        let rules: TrainingRules
        let now: Timestamp
        private let places: [ID<Document>: Int]
        private var left: [Left]

        init(field: TrainingField, model: CellModel, rules: TrainingRules, now: Timestamp) {
            self.field = field
            self.model = model
            self.rules = rules
            self.now = now
            places = Dictionary(uniqueKeysWithValues: field.hosts.enumerated().map { ($1.id, $0) })
            left = field.hosts.map { Self.left(of: $0, field, model) }
        }

        /// What a host has beside other workloads. Jobs of this engine are taken off as they are read.
        private static func left(of host: HostRecord, _ field: TrainingField, _ model: CellModel) -> Left {
            var held = Set<String>()
            var room = HostRoom(total: host.room.total, reserved: host.room.reserved)
            room.cpuRatioPerMille = host.room.cpuRatioPerMille
            for allocation in model.allocations(on: host.id) where !model.isShared(allocation, field.key) {
                held.formUnion(allocation.devices)
                room.add(allocation)
            }
            let cpus = max(0, host.usable.milliCPU - room.consumedMilliCPU) / 1000
            let devices =
                field.key.device == nil
                ? (host.devices.isEmpty ? cpus : 0)
                : host.devices.count {
                    $0.model == field.key.device && $0.health == .healthy && !held.contains($0.uuid)
                }
            return Left(
                devices: devices, threads: cpus,
                memoryMiB: max(0, host.usable.memoryMiB - room.usedMemoryMiB))
        }

        /// Nil for a job that the round leaves alone.
        mutating func look(at record: TrainingJobRecord) -> Seen? {
            let parts = model.parts(of: record.uid)
            let status = record.current(parts, now: now)
            if let promise = record.promise, let grant = grant(promise) {
                return seen(status, grant, .starting(until: now.seconds + rules.restart))
            }
            guard !parts.isEmpty else {
                guard !status.state.isOver, record.notBefore.map({ $0 <= now }) ?? true else { return nil }
                return Seen(status: status, grant: nil, phase: .pending)
            }
            // On its way out: what it holds is about to be free.
            if status.state == .checkpointing || status.state == .stopping { return nil }
            guard let grant = grant(parts, status) else { return nil }
            let isRunning = status.state == .running
            return seen(
                status, grant, isRunning ? .running : .starting(until: now.seconds + rules.restart))
        }

        private mutating func seen(
            _ status: TrainingJobStatus, _ grant: Grant, _ phase: JobState.Phase
        ) -> Seen? {
            let fits = grant.shares.allSatisfy { left[$0.node].fits($0.gpus, grant.point) }
            for share in grant.shares { left[share.node].take(share.gpus, grant.point) }
            // More than the machines have left, as one of them shrank: it goes on, and nothing is moved.
            guard fits else { return nil }
            return Seen(status: status, grant: grant, phase: phase)
        }

        private func grant(_ promise: TrainingPromise) -> Grant? {
            let shares = promise.shares.compactMap { share in
                places[share.host].map { NodeShare(node: $0, gpus: share.devices) }
            }
            return shares.count == promise.shares.count ? Grant(shares: shares, point: promise.point) : nil
        }

        private func grant(_ parts: [PartView], _ status: TrainingJobStatus) -> Grant? {
            guard let shape = status.shape else { return nil }
            let total = max(1, shape.placement.reduce(0, +))
            let taken = parts.map(\.allocation.resources).reduce(Resources.zero, +)
            let cpus = max(1000, taken.milliCPU / total)
            var counts: [Int: Int] = [:]
            for part in parts {
                guard let place = places[part.allocation.host] else { return nil }
                counts[place, default: 0] +=
                    part.allocation.devices.isEmpty
                    ? max(1, part.allocation.resources.milliCPU / cpus) : part.allocation.devices.count
            }
            let shares = counts.sorted { $0.key < $1.key }.map { NodeShare(node: $0.key, gpus: $0.value) }
            return Grant(
                shares: shares,
                point: SpeedPoint(
                    placement: shares.map(\.gpus), plan: shape.plan, secondsPerStep: shape.secondsPerStep,
                    threadsPerGPU: cpus / 1000, memoryPerGPU: taken.memoryMiB / total))
        }

        /// Nodes with what is left of them and what the jobs hold, the latter taken.
        func room(holding states: [JobState]) -> FreeRoom {
            var sums = left
            // On a host that takes nothing new only what is held is there.
            for (place, host) in field.hosts.enumerated() where !host.takesParts {
                sums[place] = Left(devices: 0, threads: 0, memoryMiB: 0)
            }
            for grant in states.compactMap(\.grant) {
                for share in grant.shares {
                    sums[share.node].devices += share.gpus
                    sums[share.node].threads += share.gpus * grant.point.threadsPerGPU
                    sums[share.node].memoryMiB += share.gpus * grant.point.memoryPerGPU
                }
            }
            let racks = Set(field.hosts.map { "\($0.domain.zone)/\($0.domain.rack)" }).sorted()
            let numbers = Dictionary(uniqueKeysWithValues: racks.enumerated().map { ($1, $0) })
            var room = FreeRoom(
                zip(field.hosts, sums).map { host, sum in
                    TrainingNode(
                        gpus: sum.devices, threads: sum.threads, memoryMiB: sum.memoryMiB,
                        rack: numbers["\(host.domain.zone)/\(host.domain.rack)"] ?? 0)
                })
            for grant in states.compactMap(\.grant) { room.take(grant) }
            for (place, host) in field.hosts.enumerated() where host.draining { room.setUp(place, false) }
            return room
        }
    }
}

extension CellModel {
    /// Whether an allocation is one that rounds of a field share out.
    func isShared(_ allocation: Allocation, _ key: TrainingField.Key) -> Bool {
        guard !allocation.quarantined, !allocation.isStandby,
            let job = parted[allocation.workload.uid] as? TrainingJobRecord
        else { return false }
        return job.spec.deviceModel == key.device
    }
}
