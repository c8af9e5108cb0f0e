internal import APITypes
internal import Client
internal import Fleet
internal import Replay

extension PlanTrainingCommand {
    /// Draws what the jobs of a pool held so far: a bar for every shape that the ledger wrote down.
    func drawHistory(of pool: String, _ surroundings: Surroundings) async throws -> ExitStatus {
        guard hosts == 0, files.file.isEmpty else {
            throw CommandFailure("-o svg draws what was: --hosts and -f are about what would be")
        }
        let text = try await connection.connected(surroundings) { client, _ in
            let hosts = try await client.listAll(Collection(.host)).items
            let members = Set(
                try hosts.filter {
                    try Serialization.value(HostSpec.self, from: $0.spec).pool == pool
                }.map(\.metadata.uid))
            guard !members.isEmpty else { throw CommandFailure("no host is in a pool \"\(pool)\"") }
            let jobs = try await client.listAll(Collection(.trainingJob, project: nil)).items
            let parts = try await client.allocations().items.filter {
                $0.workload.kind == .trainingJob && members.contains($0.host)
            }
            return TrainingHistory(jobs, parts, now: surroundings.now()).drawing(of: pool).text
        }
        surroundings.console.write(text)
        return .done
    }
}

/// Shapes that training jobs held, by what the ledger wrote down.
private struct TrainingHistory {
    private let lines: [TrainingDrawing.Line]
    private let now: Timestamp

    init(_ jobs: [WireDocument], _ parts: [Allocation], now: Timestamp) {
        self.now = now
        let created = Dictionary(jobs.map { ($0.metadata.uid, $0.metadata.createdAt) }) { first, _ in first }
        let byJob = Dictionary(grouping: parts, by: \.workload.uid)
        lines = byJob.map { uid, parts in
            // Parts of one shape come with one plan.
            let shapes = Dictionary(grouping: parts) { $0.plan?.description ?? $0.id.description }
            let bars = shapes.values.map { Self.bar($0, now: now) }.sorted {
                $0.from != $1.from ? $0.from < $1.from : $0.to < $1.to
            }
            return TrainingDrawing.Line(
                name: parts[0].workload.name,
                submittedAt: created[uid]?.seconds ?? bars.first?.from ?? now.seconds, bars: bars)
        }.sorted {
            $0.submittedAt != $1.submittedAt
                ? $0.submittedAt < $1.submittedAt : ($0.name ?? "") < ($1.name ?? "")
        }
    }

    private static func bar(_ parts: [Allocation], now: Timestamp) -> TrainingDrawing.Bar {
        let env = parts[0].task?.run?.env ?? [:]
        let devices = parts.reduce(0) { $0 + $1.devices.count }
        let ends = parts.map { $0.releasedAt ?? now }.max() ?? now
        return TrainingDrawing.Bar(
            from: (parts.map(\.createdAt).min() ?? now).seconds, to: ends.seconds,
            gpus: env["WORLD_SIZE"].flatMap { Int($0) } ?? max(devices, parts.count),
            plan: env["BASALT_PLAN"] ?? "unknown plan")
    }

    func drawing(of pool: String) -> TrainingDrawing {
        let bars = lines.flatMap(\.bars)
        let start = lines.map(\.submittedAt).min() ?? now.seconds
        let end = bars.map(\.to).max() ?? now.seconds
        return TrainingDrawing(
            title: "pool \(pool)", jobs: lines, gpus: Self.most(bars), start: start, end: end)
    }

    /// Devices held at once at most.
    private static func most(_ bars: [TrainingDrawing.Bar]) -> Int {
        var moves: [(time: Double, devices: Int)] = []
        for bar in bars {
            moves.append((bar.from, bar.gpus))
            moves.append((bar.to, -bar.gpus))
        }
        moves.sort { lhs, rhs in lhs.time != rhs.time ? lhs.time < rhs.time : lhs.devices < rhs.devices }
        var held = 0
        var most = 0
        for move in moves {
            held += move.devices
            most = max(most, held)
        }
        return most
    }
}
