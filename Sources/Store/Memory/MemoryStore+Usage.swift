public import AgentProtocol
public import Fleet

extension MemoryStore {
    public func takeUsage(_ hosts: [HostUsage], session: ID<AgentSession>) async throws -> [String] {
        try write { try $0.takeUsage(hosts, session: session) }
    }

    public func freezeSilentHosts(after silence: Duration) async throws -> [ID<Document>] {
        try write { try $0.freezeSilentHosts(after: silence) }
    }

    public func hostGuards() async throws -> [HostGuardRecord] {
        read { state in state.guards.values.sorted { $0.host < $1.host } }
    }

    public func rollUpUsage(settle: Duration) async throws -> Int {
        write { $0.rollUpUsage(settle: settle) }
    }

    public func keepUsage(bins: Duration, hours: Duration, scopes: Duration) async throws {
        write { $0.keepUsage(bins: bins, hours: hours, scopes: scopes) }
    }

    public func usageBins(vm: ID<Document>, since: Timestamp) async throws -> [UsageBin] {
        read { state in
            Set(state.usageBins.map(\.bin).filter { $0.vm == vm && $0.start >= since.wholeSeconds })
                .sorted { ($0.start, $0.maxMilliCPU) < ($1.start, $1.maxMilliCPU) }
        }
    }

    public func usageHours(vms: [ID<Document>], since: Timestamp) async throws -> [UsageHour] {
        let vms = Set(vms)
        return read { state in
            state.usageHours.values.filter { vms.contains($0.vm) && $0.start >= since.wholeSeconds }
                .sorted { ($0.vm, $0.start) < ($1.vm, $1.start) }
        }
    }
}
