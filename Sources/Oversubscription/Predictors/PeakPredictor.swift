/// Predicts how many cores the VMs of one host will use at most.
public protocol PeakPredictor: Sendable {
    /// Takes the samples of one step.
    ///
    /// - Parameters:
    ///   - vms: one sample of each VM that is on the host now; what is known of others is forgotten.
    ///   - step: number of the step, one more than before.
    mutating func record(_ vms: [VMSample], step: Int)

    /// The peak of the VMs of the latest step, in cores. Dearer than recording: ask only when it is wanted.
    func peak() -> Double
}

extension PeakPredictor {
    /// Takes the samples of one step and predicts, in cores.
    public mutating func observe(_ vms: [VMSample], step: Int) -> Double {
        record(vms, step: step)
        return peak()
    }
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
    private struct Entry: Sendable {
        var samples: Int
        var limit: Double
        var memory: Rule.Memory
    }

    private let rule: Rule
    private let minimumSamples: Int
    private var known: [Int: Entry] = [:]
    /// The VMs of the latest step in their order, by which sums are the same in every process.
    private var present: [Int] = []

    /// - Parameter minimumSamples: a VM is warm from the step on in which it has as many.
    public init(_ rule: Rule, minimumSamples: Int = 24) {
        self.rule = rule
        self.minimumSamples = minimumSamples
    }

    public mutating func record(_ vms: [VMSample], step: Int) {
        let latest = vms.map(\.vm)
        if latest != present {
            let kept = Set(latest)
            known = known.filter { kept.contains($0.key) }
            present = latest
        }
        for sample in vms {
            var entry =
                known.removeValue(forKey: sample.vm) ?? Entry(samples: 0, limit: 0, memory: rule.emptyMemory)
            entry.samples += 1
            entry.limit = sample.limit
            rule.record(sample.clipped, step: step, in: &entry.memory)
            known[sample.vm] = entry
        }
    }

    public func peak() -> Double {
        var warm: [WarmVM<Rule.Memory>] = []
        var cold = 0.0
        for entry in present.compactMap({ known[$0] }) {
            if entry.samples < minimumSamples {
                cold += entry.limit
            } else {
                warm.append(WarmVM(limit: entry.limit, memory: entry.memory))
            }
        }
        return (warm.isEmpty ? 0 : rule.peak(of: warm)) + cold
    }
}

/// The greatest of several predictions.
public struct MaxOf: PeakPredictor {
    private var predictors: [any PeakPredictor]

    public init(_ predictors: [any PeakPredictor]) { self.predictors = predictors }

    public mutating func record(_ vms: [VMSample], step: Int) {
        for index in predictors.indices { predictors[index].record(vms, step: step) }
    }

    public func peak() -> Double { predictors.map { $0.peak() }.max() ?? 0 }
}
