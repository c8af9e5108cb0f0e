internal import APITypes
internal import Fleet

/// What a demonstration showed, and what of it was not as it must be.
struct DemoSummary: Encodable {
    /// A process that was killed on purpose.
    struct Kill: Encodable {
        var what: String
        var processID: Int
        /// Until the control plane noticed, seconds.
        var noticedAfterSeconds: Double?
        /// What noticing was.
        var sign: String
        /// Until everything was as before, seconds.
        var recoveredAfterSeconds: Double?
    }

    var replay: ReplaySummary
    var starts: StartStatistics
    var cells: [ClusterSummary.CellSummary]
    /// VMs that wait, by reason.
    var pendingByReason: [String: Int]
    var kills: [Kill]
    var check: CheckResponse
    /// Counts and checks that are off, in words; empty when all is well.
    var failures: [String]

    var presentation: Presentation {
        get throws {
            let hosts = cells.reduce(0) { $0 + $1.hosts }
            let empty = cells.reduce(0) { $0 + $1.emptyHosts }
            let running = cells.reduce(0) { $0 + $1.runningVMs }
            let fields: [Presentation.Field] = [
                .init("Placed", Text("\(starts.placed) VMs; \(running) run now")),
                .init("Pending", Text(pending)),
                .init("Empty hosts", Text("\(empty) of \(hosts)")),
                .init("Packing density", Text(density)),
                .init("Placements", Text(Self.perSecond(starts.placementsPerSecond))),
                .init(
                    "Create to running",
                    Text(
                        "p50 \(Self.ms(starts.createdToRunningP50Ms)), p99 \(Self.ms(starts.createdToRunningP99Ms))"
                    )),
                .init(
                    "Create to placed",
                    Text(
                        "p50 \(Self.ms(starts.createdToPlacedP50Ms)), p99 \(Self.ms(starts.createdToPlacedP99Ms))"
                    )),
                .init(
                    "REST latency",
                    Text("p50 \(Self.ms(replay.latencyP50Ms)), p99 \(Self.ms(replay.latencyP99Ms))")),
                .init("Requests repeated", Text(String(replay.retried))),
                .init(
                    "Invariants",
                    Text("\(check.violations.count) violations", check.violations.isEmpty ? .good : .bad)),
            ]
            var blocks: [Presentation.Block] = [
                .heading("Summary"), .fields(fields), .heading("Killed on purpose"),
            ]
            blocks.append(.lines(kills.map(Self.line)))
            if !failures.isEmpty { blocks += [.heading("Not as it must be"), .lines(failures)] }
            return Presentation(blocks, value: try Serialization.tree(self))
        }
    }

    private var pending: String {
        guard !pendingByReason.isEmpty else { return "0" }
        return pendingByReason.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(
            separator: ", ")
    }

    private var density: String {
        cells.map { cell in
            "\(cell.name) \(cell.packingDensityPct.map { Quantity.percent($0) } ?? "-")"
        }.joined(separator: ", ")
    }

    private static func ms(_ value: Double?) -> String { value.map { "\(Int($0.rounded())) ms" } ?? "-" }

    private static func perSecond(_ value: Double?) -> String {
        value.map { "\(Int($0.rounded())) per second" } ?? "-"
    }

    private static func seconds(_ value: Double?) -> String {
        value.map { "\(($0 * 10).rounded() / 10) s" } ?? "never"
    }

    private static func line(_ kill: Kill) -> String {
        "\(kill.what) (process \(kill.processID)): \(kill.sign) after \(seconds(kill.noticedAfterSeconds)), "
            + "as before after \(seconds(kill.recoveredAfterSeconds))"
    }
}
