public import Oversubscription

/// Measures the power of rows of servers, and slows what runs there.
///
/// An agent that has one says so by the label `power.capping` of its hosts.
public protocol PowerControl: Sendable {
    /// The rows that hosts of this agent stand in, sorted by name.
    func rows() async throws -> [RowReading]
    /// Sends what a guard asks for; it has its effect after the latency of the way that it goes.
    func send(_ commands: [PowerCommand], row: String) async throws
}

/// One row at one moment.
public struct RowReading: Sendable, Equatable {
    public var row: String
    /// Share of the power that the row was provisioned with.
    public var power: Double
    /// Names of its hosts; one on which anything runs that is no spot VM has high priority.
    public var hosts: [PowerPriority: [String]]

    public init(row: String, power: Double, hosts: [PowerPriority: [String]]) {
        self.row = row
        self.power = power
        self.hosts = hosts
    }
}
