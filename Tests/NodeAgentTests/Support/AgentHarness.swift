import AgentProtocol
import Fleet
@testable import NodeAgent

/// An agent, its simulated hosts and the controllers in lock step: one thread, one clock, no waiting.
struct AgentHarness {
    var control = ControlModel()
    let clock: ManualClock
    let spec: SimulatedFleetSpec
    let directory: TemporaryDirectory
    private(set) var state: AgentState?
    private(set) var substrate: SimulatedSubstrate?
    private var ledger: AgentLedger?
    private var poll: PollRequest?
    private(set) var exit: AgentError?
    private(set) var started: [PartKey] = []
    private(set) var stopped: [PartKey] = []
    private(set) var notices: [AgentNotice] = []

    init(spec: SimulatedFleetSpec = fleet(), clock: ManualClock = ManualClock()) throws {
        self.spec = spec
        self.clock = clock
        directory = try TemporaryDirectory()
    }

    var metrics: AgentMetrics { state?.metrics ?? AgentMetrics() }

    /// As after kill -9: what is not on disk is gone.
    mutating func kill() {
        state = nil
        substrate = nil
        ledger = nil
        poll = nil
    }

    mutating func boot() throws {
        let substrate = try SimulatedSubstrate.open(
            directory: directory.path + "/simulation", spec: spec, clock: clock)
        let (ledger, snapshot) = try AgentLedger.open(directory: directory.path + "/agent")
        self.substrate = substrate
        self.ledger = ledger
        state = AgentState(
            configuration: configuration(), hosts: substrate.hosts(), ledger: snapshot,
            adopted: try substrate.parts(), seed: 1)
        try handle(.started)
    }

    /// Lets time pass in steps of an agent's tick.
    mutating func pass(_ seconds: Double) throws {
        for _ in 0..<Int((seconds / 0.05).rounded()) {
            clock.advance(.milliseconds(50))
            guard state != nil, exit == nil else { continue }
            try settle()
            try handle(.tick)
            try settle()
        }
    }

    /// Delivers what changed, until nothing more does.
    mutating func settle() throws {
        substrate?.advance()
        while exit == nil {
            if let changes = substrate?.takeChanges(), !changes.parts.isEmpty || changes.unreachable != nil {
                try handle(.runtimeChanged(changes))
            } else if let event = pollEvent() {
                try handle(event)
            } else {
                return
            }
        }
    }

    mutating func handle(_ event: AgentEvent) throws {
        var events = [event]
        while !events.isEmpty, exit == nil {
            let next = events.removeFirst()
            let actions = state?.handle(next, at: clock.now()) ?? []
            for action in actions { if let event = try execute(action) { events.append(event) } }
        }
    }

    private mutating func pollEvent() -> AgentEvent? {
        guard let request = poll else { return nil }
        do {
            guard let response = try control.poll(request) else { return nil }
            poll = nil
            return .polled(response, incarnation: request.incarnation)
        } catch {
            poll = nil
            return .callFailed(.poll(incarnation: request.incarnation), Self.cause(error))
        }
    }

    private mutating func execute(_ action: AgentAction) throws -> AgentEvent? {
        switch action {
        case .persist(let entries): try ledger?.append(entries)
        case .hello(let request):
            do { return .helloAnswered(try control.hello(request)) } catch {
                return .callFailed(.hello, Self.cause(error))
            }
        case .poll(let request): poll = request
        case .report(let request):
            do {
                return .reportAnswered(try control.report(request), incarnation: request.incarnation)
            } catch {
                return .callFailed(.report(incarnation: request.incarnation), Self.cause(error))
            }
        case .start(let start):
            started.append(start.key)
            return .runtimeAnswered(
                .start(start.key),
                failure: Self.failure { () throws(RuntimeError) in try substrate?.start(start) })
        case .stop(let key):
            stopped.append(key)
            return .runtimeAnswered(
                .stop(key), failure: Self.failure { () throws(RuntimeError) in try substrate?.stop(key) })
        case .forget(let keys): try substrate?.forget(keys)
        case .renew(let renewal): substrate?.renew(renewal)
        case .notice(let notice): notices.append(notice)
        case .answer: break
        case .exit(let error): exit = error
        }
        return nil
    }

    private static func failure(_ body: () throws(RuntimeError) -> Void) -> RuntimeError? {
        do throws(RuntimeError) {
            try body()
            return nil
        } catch {
            return error
        }
    }

    private static func cause(_ error: any Error) -> ControlPlaneError {
        error as? ControlPlaneError ?? .unavailable("\(error)")
    }

    // MARK: What tests look at

    func records() throws -> [RunRecord] {
        try RunJournal.read(path: RunJournal.path(in: directory.path + "/simulation"))
    }

    /// Allocations that the journal shows running, sorted.
    func running() throws -> [ID<Allocation>] {
        try records().intervals.filter { $0.to == nil }.map(\.allocation).sorted()
    }

    func reported(_ number: Int) -> PartReport.State? { control.observed[id(number)]?.state }
}
