import VMPlacement

/// Numbers for texts: mean of log10 of the lifetimes of VMs with the text, drawn towards the mean of all as
/// if `weight` more VMs had it.
struct CategoryMeans {
    /// VMs by which few observations are drawn to the mean of all.
    static let weight = 20.0

    /// What every VM is encoded by once all are known.
    let values: [String: Float]
    let otherwise: Float
    /// What each training VM is encoded by: the VMs before it alone, so that its own lifetime does not leak
    /// into its features (Prokhorenkova et al., "CatBoost", NeurIPS 2018).
    let ordered: [Float]

    /// - Parameters:
    ///   - texts: one per VM, in the order of their starts; nil where a VM has none.
    ///   - targets: log10 of the lifetimes.
    init(texts: [String?], targets: [Double]) {
        let mean = targets.isEmpty ? 0 : targets.reduce(0, +) / Double(targets.count)
        var sums: [String: (sum: Double, count: Double)] = [:]
        var ordered: [Float] = []
        for (text, target) in zip(texts, targets) {
            guard let text else {
                ordered.append(Float(mean))
                continue
            }
            let known = sums[text] ?? (0, 0)
            ordered.append(Self.drawn(known, to: mean))
            sums[text] = (known.sum + target, known.count + 1)
        }
        values = sums.mapValues { Self.drawn($0, to: mean) }
        otherwise = Float(mean)
        self.ordered = ordered
    }

    private static func drawn(_ known: (sum: Double, count: Double), to mean: Double) -> Float {
        Float((known.sum + weight * mean) / (known.count + weight))
    }
}
