import Fleet
import Store

/// What the columns of the ledger must sum to, computed anew from the allocations.
enum LedgerSums {
    /// Each difference in words; empty when the ledger is consistent.
    static func differences(in store: any Store) async throws -> [String] {
        let live = try await store.allocations(.live)
        var found: [String] = []
        for host in try await store.hosts(.all) {
            let own = live.filter { $0.host == host.id }
            var room = HostRoom(
                total: host.room.total, reserved: host.room.reserved,
                cpuRatioPerMille: host.room.cpuRatioPerMille,
                maxUtilizationPerMille: host.room.maxUtilizationPerMille)
            for allocation in own { room.add(allocation) }
            if room != host.room { found.append("\(host.name): \(host.room) is not \(room)") }
            if own.flatMap(\.devices).sorted() != host.takenDevices {
                found.append("\(host.name): devices \(host.takenDevices)")
            }
        }
        for quota in try await store.quotas() {
            let own = live.filter { $0.workload.project == quota.project && !$0.isStandby }
            let sum =
                switch quota.resource {
                case .milliCPU: own.reduce(0) { $0 + $1.resources.milliCPU }
                case .memoryMiB: own.reduce(0) { $0 + $1.resources.memoryMiB }
                case .devices: own.reduce(0) { $0 + $1.devices.count }
                }
            if sum != quota.used {
                found.append("\(quota.project) \(quota.resource): \(quota.used), not \(sum)")
            }
        }
        return found
    }
}
