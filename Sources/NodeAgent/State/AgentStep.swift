import Fleet

/// What one event led to, while it is handled.
struct AgentStep {
    private struct Touched {
        var parts: [ID<Allocation>] = []
        var members: Set<ID<Allocation>> = []
        var forgotten: [ID<Allocation>] = []
    }

    let now: MonotonicTime
    private var hosts: [String] = []
    private var touched: [String: Touched] = [:]
    private var actions: [AgentAction] = []

    init(now: MonotonicTime) { self.now = now }

    mutating func act(_ action: AgentAction) { actions.append(action) }

    mutating func touch(host: String) { change(host) { _ in } }

    mutating func touch(_ key: PartKey) {
        change(key.host) { if $0.members.insert(key.allocation).inserted { $0.parts.append(key.allocation) } }
    }

    mutating func forget(_ key: PartKey) { change(key.host) { $0.forgotten.append(key.allocation) } }

    private mutating func change(_ host: String, _ body: (inout Touched) -> Void) {
        if touched[host] == nil { hosts.append(host) }
        body(&touched[host, default: Touched()])
    }

    /// The actions, what is to be durable first.
    func finish(_ state: [String: HostState]) -> [AgentAction] {
        let entries = hosts.compactMap { name -> LedgerEntry? in
            guard let host = state[name], let changes = touched[name] else { return nil }
            return LedgerEntry(
                host: name, accepted: host.accepted,
                parts: changes.parts.compactMap { host.parts[$0]?.ledgerPart },
                forgotten: changes.forgotten)
        }
        return entries.isEmpty ? actions : [.persist(entries)] + actions
    }
}
