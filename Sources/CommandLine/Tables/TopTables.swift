internal import APITypes
internal import Fleet

/// Hosts by how full they are, and VMs by what they hold, from the ledger.
struct TopTables {
    private struct HostLoad: Encodable {
        var name: String
        var cell: String?
        var contact: String?
        var allocations = 0
        var used = Resources.zero
        var capacity: Resources
        var usedDevices = 0
        var devices: Int

        /// Of the scarcer of CPU and memory; what is full first decides.
        var share: Double {
            max(
                capacity.milliCPU == 0 ? 0 : Double(used.milliCPU) / Double(capacity.milliCPU),
                capacity.memoryMiB == 0 ? 0 : Double(used.memoryMiB) / Double(capacity.memoryMiB))
        }
    }

    private let loads: [HostLoad]
    private let allocations: [Allocation]
    private let names: [ID<Document>: String]
    private let limit: Int?
    private let now: Timestamp

    init(hosts: [WireDocument], allocations: [Allocation], limit: Int?, now: Timestamp) {
        let live = allocations.filter(\.state.consumesCapacity)
        let byHost = Dictionary(grouping: live, by: \.host)
        loads = hosts.map { host in
            let inventory = host.status?["inventory"]
            var load = HostLoad(
                name: host.metadata.name, cell: host.spec["cell"]?.string,
                contact: host.status?["contact"]?.string,
                capacity: Resources(
                    milliCPU: inventory?["capacity"]?["milliCPU"]?.integer ?? 0,
                    memoryMiB: inventory?["capacity"]?["memoryMiB"]?.integer ?? 0),
                devices: inventory?["devices"]?.array?.count ?? 0)
            for allocation in byHost[host.metadata.uid] ?? [] {
                load.allocations += 1
                load.used += allocation.resources
                load.usedDevices += allocation.devices.count
            }
            return load
        }
        self.allocations = live
        names = Dictionary(hosts.map { ($0.metadata.uid, $0.metadata.name) }, uniquingKeysWith: { $1 })
        self.limit = limit
        self.now = now
    }

    var hostTable: Presentation {
        get throws {
            let sorted = loads.sorted { ($1.share, $0.name) < ($0.share, $1.name) }
            let shown = limit.map { Array(sorted.prefix($0)) } ?? sorted
            let table = Table(
                [
                    .init("NAME", minimum: 12), .init("CONTACT", .roomy), .init("CELL", .roomy, minimum: 8),
                    .init("CPU", .always, .right), .init("CPU%", .always, .right),
                    .init("MEMORY", .always, .right), .init("MEMORY%", .always, .right),
                    .init("GPUS", .always, .right), .init("ALLOCATIONS", .always, .right),
                ],
                shown.map { load in
                    [
                        Text(load.name), Text(optional: load.contact), Text(optional: load.cell),
                        Text(Quantity.cpu(load.used.milliCPU, of: load.capacity.milliCPU)),
                        Self.percent(load.used.milliCPU, of: load.capacity.milliCPU),
                        Text(Quantity.memory(load.used.memoryMiB, of: load.capacity.memoryMiB)),
                        Self.percent(load.used.memoryMiB, of: load.capacity.memoryMiB),
                        Text("\(load.usedDevices)/\(load.devices)"), Text(String(load.allocations)),
                    ]
                })
            return Presentation(
                [.table(table)], names: shown.map { "host/\($0.name)" },
                value: .object(["items": try Serialization.tree(shown)]))
        }
    }

    func vmTable(project: String?) throws -> Presentation {
        let sorted =
            allocations
            .filter { $0.workload.kind == .vm && (project == nil || $0.workload.project == project) }
            .sorted { left, right in
                (
                    right.resources.milliCPU, right.resources.memoryMiB, left.workload.project,
                    left.workload.name
                )
                    < (
                        left.resources.milliCPU, left.resources.memoryMiB, right.workload.project,
                        right.workload.name
                    )
            }
        let shown = limit.map { Array(sorted.prefix($0)) } ?? sorted
        let table = Table(
            [
                .init("NAME", minimum: 12), .init("PROJECT", minimum: 8), .init("STATE"),
                .init("HOST", minimum: 8), .init("CPU", .always, .right), .init("MEMORY", .always, .right),
                .init("GPUS", .always, .right), .init("CLASS", .wide), .init("AGE", .always, .right),
            ],
            shown.map { item in
                [
                    Text(item.workload.name), Text(item.workload.project), Text(item.state.rawValue),
                    Text(optional: names[item.host]), Text(Quantity.cpu(item.resources.milliCPU)),
                    Text(Quantity.memory(item.resources.memoryMiB)), Text(String(item.devices.count)),
                    Text(item.class.rawValue), Text(DurationText.short(now.since(item.createdAt))),
                ]
            })
        return Presentation(
            [.table(table)], names: shown.map { "vm/\($0.workload.name)" },
            value: .object(["items": try Serialization.tree(shown)]))
    }

    private static func percent(_ used: Int, of all: Int) -> Text {
        guard all > 0 else { return Text("-") }
        let share = Double(used) * 100 / Double(all)
        return Text(Quantity.percent(share), share >= 90 ? .warning : .plain)
    }
}
