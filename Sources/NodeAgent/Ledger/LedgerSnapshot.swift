internal import AgentProtocol
public import Fleet

/// Everything an agent's ledger holds.
public struct LedgerSnapshot: Sendable, Equatable {
    public struct Host: Sendable, Equatable {
        public var accepted: AcceptedVersion?
        public var parts: [ID<Allocation>: LedgerPart]

        public init(accepted: AcceptedVersion? = nil, parts: [ID<Allocation>: LedgerPart] = [:]) {
            self.accepted = accepted
            self.parts = parts
        }
    }

    /// By name of the host.
    public var hosts: [String: Host]

    public init(hosts: [String: Host] = [:]) { self.hosts = hosts }

    public mutating func apply(_ entry: LedgerEntry) {
        hosts[entry.host, default: Host()].apply(entry)
    }

    /// One entry per host, sorted; applying them to an empty snapshot gives this one.
    public var entries: [LedgerEntry] {
        hosts.sorted { $0.key < $1.key }.map { name, host in
            LedgerEntry(
                host: name, accepted: host.accepted,
                parts: host.parts.sorted { $0.key < $1.key }.map(\.value))
        }
    }
}

extension LedgerSnapshot.Host {
    mutating func apply(_ entry: LedgerEntry) {
        accepted = entry.accepted
        for part in entry.parts { parts[part.directive.allocation] = part }
        for allocation in entry.forgotten { parts[allocation] = nil }
    }
}
