import AgentProtocol
import Fleet
import Logging
@testable import NodeAgent
import Testing

/// The agent as a service, with its tasks and a manual clock. Conditions are waited for, however long the
/// machine takes; manual time passes meanwhile.
@Suite("The agent as a service", .serialized, .timeLimit(.minutes(5)))
struct AgentTests {
    private let directory: TemporaryDirectory
    private let clock = ManualClock()
    private let control: FakeControlPlane

    init() throws {
        directory = try TemporaryDirectory()
        control = FakeControlPlane(clock: clock)
    }

    private func substrate() throws -> SimulatedSubstrate {
        try SimulatedSubstrate.open(directory: directory.path + "/simulation", spec: fleet(), clock: clock)
    }

    private func agent(_ substrate: SimulatedSubstrate) -> Agent {
        Agent(
            configuration: configuration(), stateDirectory: directory.path + "/agent",
            controlPlane: control, inventory: substrate, runtime: substrate, clock: clock, seed: 1,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Runs the agent while `body` does, then cancels it.
    private func withAgent(
        _ agent: Agent, _ substrate: SimulatedSubstrate, _ body: () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup { group in
            group.addTask { try await agent.run() }
            group.addTask { try await substrate.run() }
            try await body()
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    private func eventually(
        _ comment: Comment, _ condition: () async throws -> Bool
    ) async throws {
        for _ in 0..<50_000 {
            if try await condition() { return }
            clock.advance(.milliseconds(10))
            for _ in 0..<20 { await Task.yield() }
        }
        let state = await control.read { "\($0.observed)" }
        Issue.record("never came true: \(comment); observed \(state)")
    }

    private func reported(_ number: Int) async -> PartReport.State? {
        await control.read { $0.observed[id(number)]?.state }
    }

    @Test("Greets, starts what is assigned, reports it, stops what is to stop")
    func works() async throws {
        let substrate = try substrate()
        let agent = agent(substrate)
        try await withAgent(agent, substrate) {
            await control.edit { for number in 1...20 { $0.assign("sim-\(number % 3)", directive(number)) } }
            try await eventually("all run") {
                await control.read { model in
                    (1...20).allSatisfy { model.observed[id($0)]?.state == .running }
                }
            }
            await control.edit { $0.stop("sim-1", id(1)) }
            try await eventually("one is stopped") { await reported(1) == .stopped }
        }
        #expect(agent.metrics.partsRunning == 19)
        #expect(agent.metrics.startsIssued == 20)
        #expect(agent.metrics.ledgerBytes > 0)
    }

    @Test("A cancelled agent leaves everything running; the next one adopts it and starts nothing twice")
    func restart() async throws {
        do {
            let substrate = try substrate()
            try await withAgent(agent(substrate), substrate) {
                await control.edit { $0.assign("sim-0", directive(1)) }
                try await eventually("it runs") { await reported(1) == .running }
            }
        }
        let substrate = try substrate()
        try await withAgent(agent(substrate), substrate) {
            try await eventually("greeted again") { await control.read { $0.hellos.count } == 2 }
            await control.edit { $0.assign("sim-0", directive(2)) }
            try await eventually("the second runs") { await reported(2) == .running }
        }
        let records = try RunJournal.read(path: RunJournal.path(in: directory.path + "/simulation"))
        #expect(records.filter { $0.event == .start }.map(\.allocation) == [id(1), id(2)])
        #expect(await control.read { $0.hellos.last?.hosts.flatMap(\.parts).map(\.state) } == [.running])
    }

    @Test("A superseded agent ends with that error and stops nothing")
    func superseded() async throws {
        let substrate = try substrate()
        let agent = agent(substrate)
        await control.edit { $0.assign("sim-0", directive(1)) }
        await #expect(throws: AgentError.superseded) {
            try await withThrowingTaskGroup { group in
                group.addTask { try await agent.run() }
                group.addTask { try await substrate.run() }
                try await eventually("it runs") { await reported(1) == .running }
                await control.edit { $0.isSuperseded = true }
                group.addTask {
                    // Manual time goes on until the agent notices.
                    while !Task.isCancelled {
                        clock.advance(.milliseconds(10))
                        await Task.yield()
                    }
                }
                defer { group.cancelAll() }
                try await group.next()
            }
        }
        #expect(try substrate.parts().map(\.state) == [.running])
    }

    @Test("Controllers that come back after an outage find everything as it was")
    func outage() async throws {
        let substrate = try substrate()
        let agent = agent(substrate)
        try await withAgent(agent, substrate) {
            await control.edit { $0.assign("sim-0", directive(1)) }
            try await eventually("it runs") { await reported(1) == .running }
            await control.edit { $0.failure = .unreachable }
            let end = clock.now().advanced(by: .seconds(60))
            try await eventually("a minute passed, with tries") {
                clock.now() >= end && agent.metrics.retries > 5
            }
            await control.edit {
                $0.failure = .none
                $0.assign("sim-1", directive(2))
            }
            try await eventually("new work runs") { await reported(2) == .running }
        }
        #expect(try substrate.parts().map(\.state) == [.running, .running])
        #expect(await control.read { $0.hellos.count } == 1)
    }

    @Test("Two agents cannot share a state directory")
    func stateDirectoryIsLocked() async throws {
        let substrate = try substrate()
        let held = try AgentLedger.open(directory: directory.path + "/agent")
        let error = await #expect(throws: JournalError.self) { try await agent(substrate).run() }
        #expect(error?.code == .locked)
        #expect(held.ledger.byteCount == 0)
    }
}
