import Fleet

/// Which of a host's devices a request is given.
enum DeviceSelection {
    /// The devices of a feasible host, by uuid.
    ///
    /// Per model: the smallest set that holds the count, among devices of one NUMA node of one NVLink domain
    /// first, then of one NVLink domain, then of one NUMA node, then of the host. Ties go to the lowest
    /// domain and node, and within the set to the lowest uuid. Taking the smallest set keeps the larger ones
    /// whole.
    static func choose(_ demands: [CompiledRequest.DeviceDemand], on row: HostRow) -> [String] {
        var chosen: [String] = []
        for demand in demands {
            let free = row.devices.filter { $0.model == demand.model && $0.isFree }
            chosen += choose(demand.count, of: free).map(\.uuid)
        }
        return chosen.sorted()
    }

    private static func choose(_ count: Int, of free: [DeviceRow]) -> ArraySlice<DeviceRow> {
        let groupings: [(DeviceRow) -> Place] = [
            { Place(domain: $0.nvlinkDomain, node: $0.numaNode) },
            { Place(domain: $0.nvlinkDomain, node: nil) },
            { Place(domain: nil, node: $0.numaNode) },
        ]
        for place in groupings {
            let groups = Dictionary(grouping: free, by: place).filter { $0.value.count >= count }
            let best = groups.min { ($0.value.count, $0.key) < ($1.value.count, $1.key) }
            if let best { return best.value.sorted(by: precedes).prefix(count) }
        }
        return free.sorted(by: precedes).prefix(count)
    }

    private static func precedes(_ lhs: DeviceRow, _ rhs: DeviceRow) -> Bool {
        let places = (
            Place(domain: lhs.nvlinkDomain, node: lhs.numaNode),
            Place(domain: rhs.nvlinkDomain, node: rhs.numaNode)
        )
        return places.0 == places.1 ? lhs.uuid < rhs.uuid : places.0 < places.1
    }

    /// Devices of one place reach each other fast; devices that name none come last.
    private struct Place: Hashable, Comparable {
        var domain: String?
        var node: Int?

        static func < (lhs: Place, rhs: Place) -> Bool {
            if lhs.domain != rhs.domain {
                guard let left = lhs.domain else { return false }
                guard let right = rhs.domain else { return true }
                return left < right
            }
            guard let left = lhs.node else { return false }
            guard let right = rhs.node else { return true }
            return left < right
        }
    }
}
