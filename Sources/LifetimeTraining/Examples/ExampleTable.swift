import Foundation
import VMPlacement

/// What trees are fitted to: rows of features, each with the logarithm of a lifetime left.
struct ExampleTable {
    /// By feature, then row.
    var columns: [[Float]]
    /// log10 of seconds.
    var targets: [Float] = []
    /// Each VM weighs 1, whatever the number of its rows.
    var weights: [Float] = []
    /// Number of the VM a row is about.
    var vms: [Int32] = []

    var count: Int { targets.count }

    init(features: Int) { columns = Array(repeating: [], count: features) }

    /// Rows for VMs at their start and at `uptimes` more, drawn such that each power of ten of a second is as
    /// likely, from a minute up to what was seen.
    ///
    /// - Parameter ordered: by feature, the numbers of the VMs that stand for those of the encoder; nil where
    ///   the encoder's own count.
    init(
        _ vms: [LabelledVM], encoder: FeatureEncoder, ordered: [[Float]?], settings: TrainingSettings
    ) {
        self.init(features: encoder.features.count)
        for (number, vm) in vms.enumerated() {
            var random = SplitMix64(seed: settings.seed &+ UInt64(number) &* 0x2545_f491_4f6c_dd1d)
            var uptimes = [0.0]
            if vm.seen > Self.leastUptime {
                uptimes += (0..<settings.uptimes).map { _ in
                    Self.leastUptime * pow(vm.seen / Self.leastUptime, random.unit())
                }
            }
            for uptime in uptimes {
                var vector = encoder.vector(vm.features, uptime: uptime)
                for (index, values) in ordered.enumerated() {
                    if let values { vector[index] = values[number] }
                }
                let left = min(max(vm.lifetime - uptime, LifetimePredictor.least), settings.capSeconds)
                append(
                    vector, target: Float(log10(left)), weight: 1 / Float(uptimes.count), vm: Int32(number))
            }
        }
    }

    /// Seconds.
    private static let leastUptime = 60.0

    private mutating func append(_ vector: [Float], target: Float, weight: Float, vm: Int32) {
        for (index, value) in vector.enumerated() { columns[index].append(value) }
        targets.append(target)
        weights.append(weight)
        vms.append(vm)
    }

    /// The features of one row.
    func vector(_ row: Int) -> [Float] { columns.map { $0[row] } }
}
