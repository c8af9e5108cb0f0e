internal import FaultLab
internal import FaultSeam

extension FakeEngine {
    /// Requests of nobody that an overloaded engine works on beside those that it is asked; as many as it has
    /// slots when the fault does not say.
    var others: Int {
        guard let fault = configuration.seam?.fault(.engineOverload) else { return 0 }
        return max(0, fault.parameters.count ?? configuration.slots)
    }

    /// As metrics tell it.
    var load: (running: Int, waiting: Int) {
        let (running, others) = (slots.running, others)
        let seated = min(others, max(0, configuration.slots - running))
        return (running + seated, slots.waiting + others - seated)
    }

    /// Seconds by which the keys and values of a prompt come late from where it was read; nil for none.
    var handoffDelay: Double? {
        configuration.seam?.fault(.kvLinkDegraded).map { $0.parameters.delaySeconds ?? 1 }
    }
}
