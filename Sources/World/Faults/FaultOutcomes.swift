internal import FaultLab
internal import Fleet
internal import Synchronization

/// How long it took until the control plane said that hosts are lost, and until it had them back.
final class FaultOutcomes: Sendable {
    private struct Open {
        var fault: Fault
        var hosts: Set<String>
        var beganAt: Int64
        var endedAt: Int64?
        var seenAt: Int64?
    }

    private struct State {
        var open: [Int: Open] = [:]
        var injected: [FaultKind: Int] = [:]
        var detection: [FaultKind: [Double]] = [:]
        var repair: [FaultKind: [Double]] = [:]
    }

    /// Faults that silence hosts.
    private static let silencing: Set<FaultKind> = [
        .agentCrash, .agentHang, .heartbeatDrop, .linkPartition, .linkAnswerLoss, .linkLoss, .hostPowerOff,
        .rackPartition, .hostUnreachable,
    ]

    private let state = Mutex(State())

    var injected: [FaultKind: Int] { state.withLock { $0.injected } }
    var detection: [FaultKind: [Double]] { state.withLock { $0.detection } }
    var repair: [FaultKind: [Double]] { state.withLock { $0.repair } }

    func began(_ fault: Fault, hosts: [String], at now: Int64) {
        state.withLock { state in
            state.injected[fault.kind, default: 0] += 1
            guard Self.silencing.contains(fault.kind) else { return }
            state.open[fault.id] = Open(fault: fault, hosts: Set(hosts), beganAt: now)
        }
    }

    func ended(_ fault: Fault, at now: Int64) {
        state.withLock { state in
            state.open[fault.id]?.endedAt = now
            // Nobody noticed a short one, and nothing is to be repaired.
            if state.open[fault.id]?.seenAt == nil { state.open[fault.id] = nil }
        }
    }

    /// An event of a host came up.
    func heard(_ reason: Reason, of host: String, at now: Int64) {
        state.withLock { state in
            for id in state.open.keys.sorted() {
                guard var open = state.open[id], open.hosts.contains(host) else { continue }
                switch reason {
                case .hostSuspect, .hostFenced:
                    guard open.seenAt == nil else { continue }
                    open.seenAt = now
                    state.detection[open.fault.kind, default: []].append(Self.seconds(now - open.beganAt))
                    state.open[id] = open
                case .hostReturned, .hostReady:
                    guard let end = open.endedAt else { continue }
                    state.repair[open.fault.kind, default: []].append(Self.seconds(now - end))
                    state.open[id] = nil
                default: continue
                }
            }
        }
    }

    private static func seconds(_ microseconds: Int64) -> Double { Double(microseconds) / 1_000_000 }
}
