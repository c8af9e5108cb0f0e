/// Predicts how many cores the VMs of one host will use at most.
public protocol PeakPredictor: Sendable {
    /// Takes the samples of one step and predicts.
    ///
    /// - Parameters:
    ///   - vms: one sample of each VM that is on the host now; what is known of others is forgotten.
    ///   - step: number of the step, one more than before.
    /// - Returns: cores.
    mutating func observe(_ vms: [VMSample], step: Int) -> Double
}

/// How the peak of VMs follows from what is remembered of each.
public protocol PeakRule: Sendable {
    /// What is remembered of one VM.
    associatedtype Memory: Sendable

    /// Of a VM that just came.
    var emptyMemory: Memory { get }

    /// Adds a sample whose usage is within its limit.
    func record(_ sample: VMSample, step: Int, in memory: inout Memory)

    /// Cores that these VMs will use together at most.
    func peak(of vms: [WarmVM<Memory>]) -> Double
}

/// A VM that has been there for long enough to be predicted.
public struct WarmVM<Memory: Sendable>: Sendable {
    /// Now, in cores.
    public var limit: Double
    public var memory: Memory

    public init(limit: Double, memory: Memory) {
        self.limit = limit
        self.memory = memory
    }
}

/// Applies a rule to the VMs of one host that are warm, and counts every other with its whole limit.
public struct HostPredictor<Rule: PeakRule>: PeakPredictor {
    private let rule: Rule
    private let minimumSamples: Int
    private var known: [Int: (samples: Int, memory: Rule.Memory)] = [:]

    /// - Parameter minimumSamples: a VM is warm from the step on in which it has as many.
    public init(_ rule: Rule, minimumSamples: Int = 24) {
        self.rule = rule
        self.minimumSamples = minimumSamples
    }

    public mutating func observe(_ vms: [VMSample], step: Int) -> Double {
        forget(allBut: vms)
        var warm: [WarmVM<Rule.Memory>] = []
        var cold = 0.0
        for sample in vms {
            var entry = known.removeValue(forKey: sample.vm) ?? (0, rule.emptyMemory)
            entry.samples += 1
            rule.record(sample.clipped, step: step, in: &entry.memory)
            if entry.samples < minimumSamples {
                cold += sample.limit
            } else {
                warm.append(WarmVM(limit: sample.limit, memory: entry.memory))
            }
            known[sample.vm] = entry
        }
        return (warm.isEmpty ? 0 : rule.peak(of: warm)) + cold
    }

    private mutating func forget(allBut vms: [VMSample]) {
        let present = Set(vms.map(\.vm))
        guard present.count < known.count || known.keys.contains(where: { !present.contains($0) })
        else { return }
        known = known.filter { present.contains($0.key) }
    }
}

/// The greatest of several predictions.
public struct MaxOf: PeakPredictor {
    private var predictors: [any PeakPredictor]

    public init(_ predictors: [any PeakPredictor]) { self.predictors = predictors }

    public mutating func observe(_ vms: [VMSample], step: Int) -> Double {
        var greatest = 0.0
        for index in predictors.indices {
            greatest = max(greatest, predictors[index].observe(vms, step: step))
        }
        return greatest
    }
}
