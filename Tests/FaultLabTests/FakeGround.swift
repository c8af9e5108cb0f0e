import FaultLab
import Fleet

/// A fleet of words: faults show as alerts, and end by their remedies. For tests of what is played on it.
final class FakeGround: ProblemGround {
    static let surface: ProblemSurface = {
        let hosts = (1...8).map { "h-0\($0)" }
        let places: [[String: String]] = hosts.map {
            [
                "host": $0, "agent": $0, "link": $0, "rack": "r-\($0.suffix(1))", "device": "\($0)/1",
                "vm": "v-\($0)", "vmCommand": "serve", "labelKey": "tier", "labelValue": "gold",
                "job": "j-\($0)",
            ]
        }
        var choices: [FaultTarget.Component: [[String: String]]] = [:]
        for component in [FaultTarget.Component.host, .agent, .link, .rack, .device, .vm, .job] {
            choices[component] = places
        }
        choices[.controller] = (0..<3).map { ["controller": "c-\($0)"] }
        choices[.store] = [["store": "primary"]]
        choices[.policy] = [["policy": "oversub-cpu"]]
        choices[.project] = [["project": "team", "quotaField": "cpu", "quotaValue": "64000"]]
        choices[.replica] = [["replica": "chat-1", "service": "chat"]]
        return ProblemSurface(
            choices: choices, constants: ["session": "77", "message": "m-1", "service": "chat"],
            kinds: Set(FaultKind.allCases), decoys: [.plannedDrain])
    }()

    private(set) var now = Timestamp(seconds: 1_000_000)
    private let problem: Problem
    private var active: [Fault] = []
    private var lost: [String] = []
    private(set) var performed = 0
    var isUnsteady = false
    var showsNothing = false

    init(_ problem: Problem) { self.problem = problem }

    func settle() async throws -> FleetState {
        FleetState(notRunning: isUnsteady ? ["v-h-01"] : [])
    }

    func inject() async throws { active = problem.faults }
    func showsEffect() async -> Bool { !showsNothing }
    func state() async -> FleetState { FleetState(faultsInEffect: active.count, lost: lost) }
    func pass(_ duration: Duration) async { now = now.advanced(by: duration) }

    func telemetry() async -> SessionTelemetry { SessionTelemetry() }

    func recover() async -> [String] {
        active = []
        return []
    }

    func perform(_ action: AgentAction) async -> Observation {
        performed += 1
        await pass(.seconds(1))
        switch action {
        case .read(.alerts):
            return Observation(
                .alerts(
                    active.map {
                        Alert(
                            name: $0.kind.rawValue, component: ComponentName("vm/v-\($0.target.name)"),
                            since: now, text: "")
                    }))
        case .read(.inventory(let kind, _)):
            return Observation(.rows((1...8).map { ["name": "h-0\($0)", "kind": kind, "phase": "Running"] }))
        case .read(.wait(let seconds)):
            await pass(.seconds(seconds))
            return .message("Waited.")
        case .read: return .message("Nothing.")
        case .submit: return .message("")
        case .write(let write):
            if write.verb == .deleteWorkload { lost.append(write.object.path) }
            active.removeAll { fault in
                // A replica is reached by its service and by its paths as well.
                fault.remedy(write, hosts: ["chat", "prefill", "decode", "prefill<->decode"]) != nil
                    || (Remedy.of(fault.kind).isEmpty
                        && problem.oracle.contains { $0.name == write.verb.rawValue })
                    || [.deviceXID, .deviceECC, .deviceNVLink, .deviceThermal, .checkpointFailure]
                        .contains(fault.kind) && problem.oracle.last?.name == write.verb.rawValue
            }
            return .message("Done.")
        }
    }
}
