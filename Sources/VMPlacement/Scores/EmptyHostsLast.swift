/// Opens an empty host only when no host in use can take the request.
struct EmptyHostsLast: PlacementScore {
    static let bits = 1

    @inline(__always)
    func value(of slot: Int, for request: CompiledRequest, in hosts: ScoredColumns) -> UInt64 {
        UInt64(hosts.isEmpty[slot])
    }

    func words(_ value: UInt64) -> [String] { ["emptyHost=\(value)"] }
}
