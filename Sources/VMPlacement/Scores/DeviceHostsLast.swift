/// Keeps hosts with devices for workloads that ask for devices. Among hosts that hold what a request with
/// devices asks for it is the same for all, and so decides nothing.
struct DeviceHostsLast: PlacementScore {
    static let bits = 1

    @inline(__always)
    func value(of slot: Int, for request: CompiledRequest, in hosts: ScoredColumns) -> UInt64 {
        UInt64(hosts.hasDevices[slot])
    }

    func words(_ value: UInt64) -> [String] { ["deviceHost=\(value)"] }
}
