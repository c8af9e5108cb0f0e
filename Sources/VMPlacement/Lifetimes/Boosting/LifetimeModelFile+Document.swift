public import Fleet

extension LifetimeModelFile {
    /// What a document says of the file.
    ///
    /// - Parameter bytes: size of the file.
    public func spec(description: String?, bytes: Int, origin: ModelSpec.Origin? = nil) -> ModelSpec {
        func perMille(_ value: Double) -> Int { Self.whole(value * 1000) }
        return ModelSpec(
            description: description, form: .gbdt, features: featureNames,
            training: .init(
                fromSeconds: Self.whole(training.from), untilSeconds: Self.whole(training.until),
                vms: training.vms, censored: training.censored, examples: training.examples,
                dataHash: training.dataHash),
            metrics: .init(
                trees: metrics.trees, trainingErrorPerMille: perMille(metrics.trainingError),
                validationErrorPerMille: perMille(metrics.validationError)),
            capSeconds: Self.whole(capSeconds), bytes: bytes, checksum: checksum, origin: origin)
    }

    /// Numbers of a file may be anything that JSON holds.
    private static func whole(_ value: Double) -> Int {
        Int(exactly: min(max(value, -1e15), 1e15).rounded()) ?? 0
    }

    /// Features of the file that are not known of VMs that run, in its order.
    public var unknownLive: [String] { featureNames.filter { ModelFeature.OfTraces(rawValue: $0) != nil } }
}
