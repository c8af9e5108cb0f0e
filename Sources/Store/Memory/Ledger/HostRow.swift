import AgentProtocol
import Fleet

/// A host in the ledger, with what its lease is judged by.
struct HostRow {
    var record: HostRecord
    /// Labels that the agent found; the document's labels lie over them in the record.
    var inventoryLabels: [String: String] = [:]
    /// Last renewal of the lease; nil while no session ever held the host.
    var renewedAt: Timestamp?
    /// When the host last went from ready to suspect.
    var suspectedAt: Timestamp?
    /// Why the host is not fenced until it returns or a person confirms its loss.
    var held: String?
    /// A person confirmed that the host is lost: neither breaker nor hold apply until it returns.
    var isLossConfirmed = false

    /// Inventory as the row knows it, for hosts whose document has none.
    var inventory: HostInventory {
        HostInventory(
            capacity: record.room.total, reserved: record.room.reserved, devices: record.devices,
            domain: record.domain, labels: inventoryLabels, substrate: record.substrate)
    }

    /// Labels of the document lie over those of the inventory.
    mutating func relabel(_ labels: [String: String]) {
        record.labels = inventoryLabels.merging(labels) { $1 }
    }

    mutating func take(_ allocation: Allocation) {
        record.room.add(allocation)
        record.takenDevices = (record.takenDevices + allocation.devices).sorted()
    }

    mutating func free(_ allocation: Allocation) {
        record.room.add(allocation, sign: -1)
        record.takenDevices.removeAll { allocation.devices.contains($0) }
    }

    /// Whether every device is installed here, healthy and free.
    func canGive(_ devices: [String]) -> Bool {
        let free = Set(record.devices.filter { $0.health == .healthy }.map(\.uuid))
            .subtracting(record.takenDevices)
        return Set(devices).count == devices.count && free.isSuperset(of: devices)
    }
}
