internal import APITypes
internal import Fleet

/// The fleet in one screen.
struct ClusterTables {
    let summary: ClusterSummary

    var top: Presentation {
        get throws {
            Presentation([.table(cells)], names: names, value: try Serialization.tree(summary.cells))
        }
    }

    var cluster: Presentation {
        get throws {
            let fields: [Presentation.Field] = [
                .init("Epoch", Text(String(summary.epoch))),
                .init("Schema", Text(String(summary.schemaVersion))),
                .init("Fleet time", Text(summary.fleetTime.description)),
                .init("Fleet rate", Text(rate)),
            ]
            return Presentation(
                [
                    .fields(fields), .heading("Controllers"), .table(controllers), .heading("Cells"),
                    .table(cells),
                ], names: names, value: try Serialization.tree(summary))
        }
    }

    private var names: [String] { summary.cells.map { "cell/\($0.name)" } }

    private var rate: String {
        summary.fleetRate == summary.fleetRate.rounded()
            ? "\(Int(summary.fleetRate))" : "\(summary.fleetRate)"
    }

    private var cells: Table {
        Table(
            [
                .init("NAME", minimum: 10), .init("HOSTS", .always, .right), .init("READY", .always, .right),
                .init("EMPTY", .roomy, .right), .init("CPU", .always, .right),
                .init("MEMORY", .always, .right), .init("GPUS", .roomy, .right),
                .init("RUNNING", .always, .right), .init("PENDING", .always, .right),
                .init("DENSITY", .always, .right), .init("ALLOCATIONS", .wide, .right),
            ],
            summary.cells.map { cell in
                [
                    Text(cell.name), Text(String(cell.hosts)),
                    Text(String(cell.readyHosts), cell.readyHosts < cell.hosts ? .warning : .good),
                    Text(String(cell.emptyHosts)),
                    Text(Quantity.cpu(cell.used.milliCPU, of: cell.capacity.milliCPU)),
                    Text(Quantity.memory(cell.used.memoryMiB, of: cell.capacity.memoryMiB)),
                    Text("\(cell.usedDevices)/\(cell.devices)"), Text(String(cell.runningVMs)),
                    Text(String(cell.pendingVMs), cell.pendingVMs > 0 ? .warning : .plain),
                    Text(cell.packingDensityPct.map(Quantity.percent) ?? "-"),
                    Text(String(cell.allocations)),
                ]
            })
    }

    private var controllers: Table {
        Table(
            [
                .init("NAME", minimum: 16), .init("CELL", minimum: 8), .init("TOKEN", .always, .right),
                .init("LEASE-UNTIL"),
            ],
            summary.controllers.map { controller in
                [
                    Text(controller.holder), Text(controller.cell), Text(String(controller.token)),
                    Text(controller.expiresAt.description),
                ]
            })
    }
}
