public import Client
public import Fleet

/// All that commands take from the process they run in. The executable makes the real ones, tests their own.
public struct Surroundings: Sendable {
    public var environment: [String: String]
    public var console: Console
    /// Standard input to its end.
    public var readInput: @Sendable () throws -> String
    /// One line of standard input, for questions; nil when nobody can answer.
    public var readLine: @Sendable () -> String?
    /// The wall clock.
    public var now: @Sendable () -> Timestamp
    /// A clock that only goes forward, for pacing and latencies.
    public var uptime: @Sendable () -> Duration
    /// Sleep, randomness and ids.
    public var seams: ClientSeams

    public init(
        environment: [String: String], console: Console, readInput: @escaping @Sendable () throws -> String,
        readLine: @escaping @Sendable () -> String?, now: @escaping @Sendable () -> Timestamp,
        uptime: @escaping @Sendable () -> Duration, seams: ClientSeams
    ) {
        self.environment = environment
        self.console = console
        self.readInput = readInput
        self.readLine = readLine
        self.now = now
        self.uptime = uptime
        self.seams = seams
    }

    /// The variable's value; nil when unset or empty.
    func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
}
