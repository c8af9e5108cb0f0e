internal import DequeModule
internal import Replay

/// Which step of a schedule may go out now: in the order of the schedule, and a VM's deletion only after its
/// creation was answered.
struct ReplayQueue {
    typealias Step = ReplaySchedule.Step

    private var schedule: ReplaySchedule
    /// VMs whose creation is under way.
    private var creating: Set<String> = []
    /// Deletions that came while the creation was under way.
    private var held: [String: Step] = [:]
    /// VMs that were never made: there is nothing to delete.
    private var missing: Set<String> = []
    private var released: Deque<Step> = []
    /// Deletions left out for want of a VM.
    private(set) var skipped = 0

    init(_ schedule: ReplaySchedule) { self.schedule = schedule }

    /// Fleet time of the next step of the schedule; nil when all were taken.
    var nextTime: Duration? { released.isEmpty ? schedule.nextTime : .zero }

    /// The next step that may go out at `time`.
    mutating func next(dueAt time: Duration) -> Step? {
        if let step = released.popFirst() { return step }
        while let step = schedule.next(dueAt: time) {
            switch step.action {
            case .create:
                creating.insert(step.vm)
                return step
            case .delete:
                if creating.contains(step.vm) {
                    held[step.vm] = step
                } else if missing.remove(step.vm) != nil {
                    skipped += 1
                } else {
                    return step
                }
            }
        }
        return nil
    }

    /// Takes the answer of a creation in.
    mutating func created(_ vm: String, exists: Bool) {
        creating.remove(vm)
        let deletion = held.removeValue(forKey: vm)
        switch (deletion, exists) {
        case (.some(let deletion), true): released.append(deletion)
        case (.some, false): skipped += 1
        case (nil, false): missing.insert(vm)
        case (nil, true): break
        }
    }
}
