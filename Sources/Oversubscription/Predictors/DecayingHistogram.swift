import Foundation

/// Weights of values in buckets that grow exponentially; a weight halves with every half-life. This is the
/// shape that Autopilot, the vertical pod autoscaler and Koordinator share.
public struct DecayingHistogram: Sendable, Hashable {
    /// Where buckets lie and how fast weights fade.
    public struct Shape: Sendable, Hashable {
        /// Width of the first bucket, in cores.
        public var firstBucket: Double
        /// Each bucket is wider than the one before by this factor, above 1.
        public var growth: Double
        /// What is above counts as this, in cores.
        public var largest: Double
        /// In steps.
        public var halfLife: Double

        public init(
            firstBucket: Double = 0.025, growth: Double = 1.05, largest: Double = 1024, halfLife: Double = 144
        ) {
            self.firstBucket = firstBucket
            self.growth = growth
            self.largest = largest
            self.halfLife = halfLife
        }

        func bucket(_ value: Double) -> Int {
            guard value > 0 else { return 0 }
            return Int(log(min(value, largest) * (growth - 1) / firstBucket + 1) / log(growth))
        }

        /// The upper edge of a bucket, in cores.
        func edge(_ bucket: Int) -> Double {
            firstBucket * (pow(growth, Double(bucket + 1)) - 1) / (growth - 1)
        }
    }

    /// Weights are scaled down before they leave what a double holds well.
    private static let largestExponent = 100.0

    private let shape: Shape
    private var weights: [Double] = []
    private var reference = 0.0
    private var isEmpty = true

    public init(_ shape: Shape = .init()) { self.shape = shape }

    /// Adds a value of a step; steps need not come in order.
    public mutating func add(_ value: Double, step: Int) {
        if isEmpty { reference = Double(step) }
        isEmpty = false
        var exponent = (Double(step) - reference) / shape.halfLife
        if exponent > Self.largestExponent {
            let scale = pow(2, -exponent)
            weights = weights.map { $0 * scale }
            reference = Double(step)
            exponent = 0
        }
        let bucket = shape.bucket(value)
        if bucket >= weights.count {
            weights += [Double](repeating: 0, count: bucket + 1 - weights.count)
        }
        weights[bucket] += pow(2, exponent)
    }

    /// The upper edge of the bucket in which the share of the weight is reached; 0 without values.
    ///
    /// - Parameter q: from 0 to 1.
    public func percentile(_ q: Double) -> Double {
        let threshold = weights.reduce(0, +) * q
        var sum = 0.0
        for (bucket, weight) in weights.enumerated() {
            sum += weight
            if sum >= threshold, sum > 0 { return shape.edge(bucket) }
        }
        return weights.isEmpty ? 0 : shape.edge(weights.count - 1)
    }
}

/// A percentile of each VM's decaying histogram with a margin, at most its limit.
public struct HistogramRule: PeakRule {
    private let shape: DecayingHistogram.Shape
    private let percentile: Double
    private let margin: Double

    /// - Parameters:
    ///   - percentile: from 0 to 1.
    ///   - margin: share that is added.
    public init(_ shape: DecayingHistogram.Shape = .init(), percentile: Double = 0.95, margin: Double = 0.1) {
        self.shape = shape
        self.percentile = percentile
        self.margin = margin
    }

    public var emptyMemory: DecayingHistogram { DecayingHistogram(shape) }

    public func record(_ sample: VMSample, step: Int, in memory: inout DecayingHistogram) {
        memory.add(sample.usage, step: step)
    }

    public func peak(of vms: [WarmVM<DecayingHistogram>]) -> Double {
        vms.reduce(0) { $0 + min($1.limit, $1.memory.percentile(percentile) * (1 + margin)) }
    }
}
