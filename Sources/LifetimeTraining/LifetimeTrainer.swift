import Fleet
import Foundation
public import VMPlacement

/// Makes a boosted model from VMs that were seen.
public struct LifetimeTrainer: Sendable {
    public let settings: TrainingSettings

    public init(settings: TrainingSettings) { self.settings = settings }

    /// Trains on the VMs that started before `until`, as they were seen then. Others have their turn after
    /// every tree; a task that is cancelled gets fewer trees.
    ///
    /// The number of trees is found on the last VMs to start, which the trees do not learn from meanwhile;
    /// then as many trees are fitted to all VMs, the latest included.
    ///
    /// - Parameter vms: in any order, times in seconds on one clock.
    /// - Throws: `TrainingError` when there is too little to learn from, or a feature that no VM has.
    public func train(_ vms: [TrainingVM], until: Double) async throws(TrainingError) -> LifetimeModelFile {
        let seen = vms.compactMap { $0.seen(at: until) }.enumerated()
            .sorted { ($0.element.startedAt, $0.offset) < ($1.element.startedAt, $1.offset) }.map(\.element)
        guard seen.count(where: \.observation.hasEnded) >= Self.leastEnds else {
            throw TrainingError.tooFewEnds(seen.count(where: \.observation.hasEnded), least: Self.leastEnds)
        }
        let names = try featureNames(seen)
        let labelled = LabelledVM.label(seen, capSeconds: settings.capSeconds)
        let held = Int((Double(seen.count) * min(max(settings.validationShare, 0.01), 0.5)).rounded(.up))
        let earlier = LearningSet(Array(labelled.dropLast(held)), names: names, settings: settings)
        let validation = ExampleTable(
            Array(labelled.suffix(held)), encoder: earlier.encoder, ordered: names.map { _ in nil },
            settings: settings)
        let found = await GradientBooster(settings: settings).fit(earlier.table, validation: validation)
        let whole = LearningSet(labelled, names: names, settings: settings)
        var final = settings
        final.trees = max(found.trees.count, 1)
        let trees = await GradientBooster(settings: final).fit(whole.table, validation: nil).trees
        let calibration =
            settings.mean == .geometric ? .none : CalibrationFit.fit(found.trees, validation)
        let model = BoostedLifetimeModel(encoder: whole.encoder, trees: trees, calibration: calibration)
        return LifetimeModelFile(
            model, training: summary(seen, until: until, examples: whole.table.count),
            metrics: .init(
                trees: trees.count, trainingError: found.trainingError.rounded(decimals: 4),
                validationError: found.validationError.rounded(decimals: 4)),
            capSeconds: settings.capSeconds)
    }

    /// Fewer ended VMs say nothing that a mean would not.
    public static let leastEnds = 200

    private func featureNames(_ vms: [TrainingVM]) throws(TrainingError) -> [String] {
        var names = ["uptime", "vcpu", "memory", "memoryPerVCPU"]
        for name in settings.features where !names.contains(name) {
            guard vms.contains(where: { FeatureEncoder.text(name, of: $0.observation.features) != nil })
            else { throw .unknownFeature(name) }
            names.append(name)
        }
        return names
    }

    private func summary(_ vms: [TrainingVM], until: Double, examples: Int) -> LifetimeModelFile.Training {
        var hash = StableHash()
        for vm in vms {
            let features = vm.observation.features
            hash.combine(vm.startedAt.bitPattern)
            hash.combine(vm.observation.seconds.bitPattern)
            hash.combine(vm.observation.hasEnded ? 1 : 0)
            hash.combine(features.resources.milliCPU)
            hash.combine(features.resources.memoryMiB)
            for name in settings.features { hash.combine(FeatureEncoder.text(name, of: features) ?? "") }
        }
        return LifetimeModelFile.Training(
            from: vms.first?.startedAt ?? 0, until: until, vms: vms.count,
            censored: vms.count { !$0.observation.hasEnded }, examples: examples, seed: settings.seed,
            dataHash: hash.text)
    }
}

/// The rows of some VMs and the encoder that belongs to them.
private struct LearningSet {
    let encoder: FeatureEncoder
    let table: ExampleTable

    init(_ vms: [LabelledVM], names: [String], settings: TrainingSettings) {
        let targets = vms.map { log10(min($0.lifetime, settings.capSeconds)) }
        var features: [ModelFeature] = []
        var ordered: [[Float]?] = []
        for name in names {
            let texts = vms.map { FeatureEncoder.text(name, of: $0.features) }
            guard ModelFeature.isText(name), texts.contains(where: { $0.map { Float($0) == nil } ?? false })
            else {
                features.append(ModelFeature(name: name, kind: .number))
                ordered.append(nil)
                continue
            }
            let means = CategoryMeans(texts: texts, targets: targets)
            features.append(
                ModelFeature(name: name, kind: .category(values: means.values, otherwise: means.otherwise)))
            ordered.append(means.ordered)
        }
        encoder = FeatureEncoder(features)
        table = ExampleTable(vms, encoder: encoder, ordered: ordered, settings: settings)
    }
}

extension Double {
    func rounded(decimals: Int) -> Double {
        let scale = pow(10, Double(decimals))
        return (self * scale).rounded() / scale
    }
}
