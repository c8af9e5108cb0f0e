internal import Fleet
internal import VMPlacement

/// What is said of a draining host.
struct DrainState: Equatable {
    /// Allocations still on the host, moving ones included.
    var left: Int
    var blocked: [DrainPreview.Blocked]
    /// When the next maintenance window opens; nil while moving is allowed.
    var opensAt: Timestamp?
    var isClosed: Bool
    var isPastDeadline: Bool
    /// Until when VMs are left to end by themselves.
    var waitsUntil: Timestamp?

    init(_ decision: DrainDecision, terms: DrainTerms) {
        left = decision.left
        blocked = decision.blocked
        isPastDeadline = terms.isPastDeadline
        isClosed = !terms.isOpen
        waitsUntil = decision.waitsUntil
        if !terms.isOpen, case .closed(let opens) = terms.opening { opensAt = opens }
    }

    /// Such as `3 left; 2 cannot go, such as shop/db-1: NoHostFits, …`.
    func sentence(_ host: String) -> String {
        if left == 0 { return "host \(host) is empty" }
        if isClosed {
            let opens = opensAt.map { "opens at \($0)" } ?? "never opens"
            return "\(left) left; the maintenance window \(opens)"
        }
        var head = isPastDeadline ? "\(left) left; the deadline has passed" : "\(left) left"
        if let waitsUntil { head += "; left to end by themselves until \(waitsUntil)" }
        guard let first = blocked.first else { return head }
        let fix = first.nearestFix.map { "; nearest fix: \($0)" } ?? ""
        return "\(head); \(blocked.count) cannot go, such as \(first.project)/\(first.name): "
            + "\(first.reason.rawValue), \(first.message)\(fix)"
    }

    var condition: (Condition.Status, Reason) {
        if left == 0 { return (.yes, .drained) }
        if isClosed { return (.no, .outsideWindow) }
        if isPastDeadline { return (.no, .deadlinePassed) }
        if waitsUntil != nil { return (.no, .waitingForExits) }
        return (.no, blocked.count == left ? blocked.first?.reason ?? .draining : .draining)
    }

    /// What is worth an event; progress is not.
    func event(after before: DrainState?) -> Reason? {
        if left == 0 { return before?.left == 0 ? nil : .drained }
        if isClosed { return before?.isClosed == true ? nil : .outsideWindow }
        if isPastDeadline { return before?.isPastDeadline == true ? nil : .deadlinePassed }
        if waitsUntil != nil { return before?.waitsUntil == nil ? .waitingForExits : nil }
        return nil
    }
}

extension DrainDecision.Move {
    /// Why it goes when it goes, such as `longest first: 5 d 3 h left`.
    func reason(_ order: DrainOrder) -> String {
        guard order == .lars, let remaining else { return "oldest first: started \(vm.lifetime.startedAt)" }
        return "longest first: predicted to live \(Self.words(remaining)) more"
    }

    func preview(_ order: DrainOrder) -> DrainPreview.Move {
        DrainPreview.Move(
            project: vm.workload.project, name: vm.workload.name, to: target.hostName, reason: reason(order),
            remainingSeconds: remaining.map { Int($0) }, turnSeconds: Int(turn.inSeconds),
            endsFirst: remaining == nil ? nil : endsFirst)
    }

    /// Such as `5 d 3 h`, `2 h 10 min` or `40 s`.
    static func words(_ seconds: Double) -> String {
        let seconds = Int(seconds)
        switch seconds {
        case ..<60: return "\(seconds) s"
        case ..<3600: return "\(seconds / 60) min"
        case ..<86_400: return "\(seconds / 3600) h \(seconds % 3600 / 60) min"
        default: return "\(seconds / 86_400) d \(seconds % 86_400 / 3600) h"
        }
    }
}
