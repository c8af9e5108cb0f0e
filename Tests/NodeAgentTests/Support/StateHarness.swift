import AgentProtocol
import Fleet
@testable import NodeAgent

/// A state machine alone, with the actions of each event.
struct StateHarness {
    private(set) var state: AgentState
    var now = MonotonicTime.seconds(100)

    init(
        hosts: Int = 2, ledger: LedgerSnapshot = LedgerSnapshot(), adopted: [RuntimePart]? = [],
        runtimeCallLimit: Int = 64
    ) {
        state = AgentState(
            configuration: configuration(runtimeCallLimit: runtimeCallLimit),
            hosts: fleet(count: hosts).hosts, ledger: ledger, adopted: adopted, seed: 3)
    }

    /// Greeted, with the first report acknowledged, so that parts may start.
    static func connected(
        hosts: Int = 2, runtimeCallLimit: Int = 64, adopted: [RuntimePart]? = [],
        response: HelloResponse = hello
    ) -> StateHarness {
        var harness = StateHarness(hosts: hosts, adopted: adopted, runtimeCallLimit: runtimeCallLimit)
        _ = harness.handle(.started)
        _ = harness.handle(.helloAnswered(response))
        _ = harness.acknowledge(1)
        return harness
    }

    mutating func handle(_ event: AgentEvent) -> [AgentAction] { state.handle(event, at: now) }

    mutating func handle(_ event: AgentEvent, after seconds: Double) -> [AgentAction] {
        now = now.advanced(by: .microseconds(Int64((seconds * 1_000_000).rounded())))
        return state.handle(event, at: now)
    }

    mutating func acknowledge(_ sequence: Int, epoch: Int = 1) -> [AgentAction] {
        handle(
            .reportAnswered(
                ReportResponse(acknowledged: sequence, epoch: epoch), incarnation: state.incarnation ?? 0))
    }

    mutating func poll(_ assignments: [HostAssignment], epoch: Int = 1) -> [AgentAction] {
        handle(
            .polled(
                PollResponse(cursor: "c", epoch: epoch, assignments: assignments),
                incarnation: state.incarnation ?? 0))
    }

    mutating func run(_ host: String, _ numbers: ClosedRange<Int>, generation: Int = 1) throws {
        _ = poll([try assignment(host, generation, numbers.map { directive($0) })])
        for number in numbers {
            _ = handle(.runtimeAnswered(.start(key(host, number)), failure: nil))
            _ = handle(change(host, number, .running))
        }
    }
}

func change(_ host: String, _ number: Int, _ state: RuntimeState) -> AgentEvent {
    .runtimeChanged(
        RuntimeChanges(parts: [
            RuntimePart(key: key(host, number), state: state, directive: directive(number))
        ]))
}

extension [AgentAction] {
    var starts: [PartKey] {
        compactMap { if case .start(let start) = $0 { start.key } else { nil } }
    }

    var stops: [PartKey] {
        compactMap { if case .stop(let key) = $0 { key } else { nil } }
    }

    var reports: [ReportRequest] {
        compactMap { if case .report(let request) = $0 { request } else { nil } }
    }

    var polls: [PollRequest] {
        compactMap { if case .poll(let request) = $0 { request } else { nil } }
    }

    var hellos: [HelloRequest] {
        compactMap { if case .hello(let request) = $0 { request } else { nil } }
    }

    var renewals: [LeaseRenewal] {
        compactMap { if case .renew(let renewal) = $0 { renewal } else { nil } }
    }

    var entries: [LedgerEntry] {
        flatMap { if case .persist(let entries) = $0 { entries } else { [LedgerEntry]() } }
    }

    var refusals: [AssignmentRefusal] {
        compactMap { if case .notice(.assignmentRefused(_, _, let refusal)) = $0 { refusal } else { nil } }
    }
}
