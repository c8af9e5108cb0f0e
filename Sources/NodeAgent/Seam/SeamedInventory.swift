internal import FaultLab
public import FaultSeam
internal import Fleet

/// An inventory that tells of less than there is while the seam says so.
public struct SeamedInventory: InventorySource {
    private let inventory: any InventorySource
    private let seam: FaultSeam

    public init(_ inventory: any InventorySource, seam: FaultSeam) {
        self.inventory = inventory
        self.seam = seam
    }

    /// Devices are missing; a host without any has half of its cores and memory.
    public func hosts() async throws -> [InventoriedHost] {
        var hosts = try await inventory.hosts()
        guard let fault = seam.fault(.wrongInventory) else { return hosts }
        for index in hosts.indices {
            let told = hosts[index].inventory
            if told.devices.isEmpty {
                let half = Resources(
                    milliCPU: told.capacity.milliCPU / 2, memoryMiB: told.capacity.memoryMiB / 2)
                hosts[index].inventory.capacity.milliCPU = max(half.milliCPU, told.reserved.milliCPU)
                hosts[index].inventory.capacity.memoryMiB = max(half.memoryMiB, told.reserved.memoryMiB)
            } else {
                let missing = min(max(0, fault.parameters.count ?? 1), told.devices.count)
                hosts[index].inventory.devices.removeLast(missing)
            }
        }
        return hosts
    }
}
