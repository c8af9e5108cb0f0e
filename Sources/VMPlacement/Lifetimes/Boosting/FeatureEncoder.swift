import Fleet
import Foundation

/// One input of a boosted model.
public struct ModelFeature: Sendable, Hashable {
    /// How a text becomes a number.
    public enum Kind: Sendable, Hashable {
        /// As it is; a text that is none counts as missing.
        case number
        /// By the mean of log10 of the lifetimes, seconds, of the training VMs with that text, drawn towards
        /// the mean of all where they are few; others count as that mean.
        case category(values: [String: Float], otherwise: Float)
    }

    /// Features that every VM has. Other names are attributes.
    public enum Known: String, Sendable, Hashable, CaseIterable {
        /// ln(1 + seconds) since the start.
        case uptime
        case vcpu
        /// GiB.
        case memory
        /// GiB.
        case memoryPerVCPU
        /// Standard, spot and the like.
        case `class`
        /// Whose VM it is.
        case project
    }

    /// Columns of `basalt model train` that are made of a whole trace: nobody knows them of a VM that runs.
    public enum OfTraces: String, Sendable, Hashable, CaseIterable {
        case recentLifetime = "recent_lifetime"
        case latestLifetime = "latest_lifetime"
        case running, batch, hour
    }

    public var name: String
    public var kind: Kind

    public init(name: String, kind: Kind) {
        self.name = name
        self.kind = kind
    }

    /// Whether the text of a VM decides the feature, so that it may be a category.
    public static func isText(_ name: String) -> Bool {
        guard let known = Known(rawValue: name) else { return true }
        return known == .class || known == .project
    }
}

/// Turns what is known of a VM into the numbers that trees compare.
public struct FeatureEncoder: Sendable, Hashable {
    private enum Source: Sendable, Hashable {
        case uptime, vcpu, memory, memoryPerVCPU
        case `class`([String: Float], otherwise: Float)
        case project([String: Float], otherwise: Float)
        case number(attribute: String)
        case category(attribute: String, [String: Float], otherwise: Float)
    }

    /// In the order of the vector.
    public let features: [ModelFeature]
    private let sources: [Source]

    public init(_ features: [ModelFeature]) {
        self.features = features
        sources = features.map(Self.source)
    }

    private static func source(_ feature: ModelFeature) -> Source {
        switch (ModelFeature.Known(rawValue: feature.name), feature.kind) {
        case (.uptime, _): .uptime
        case (.vcpu, _): .vcpu
        case (.memory, _): .memory
        case (.memoryPerVCPU, _): .memoryPerVCPU
        case (.class, .category(let values, let otherwise)): .class(values, otherwise: otherwise)
        case (.project, .category(let values, let otherwise)): .project(values, otherwise: otherwise)
        case (.class, .number), (.project, .number), (nil, .number): .number(attribute: feature.name)
        case (nil, .category(let values, let otherwise)):
            .category(attribute: feature.name, values, otherwise: otherwise)
        }
    }

    /// The text that a feature goes by; nil where the VM has none, or the feature is a number of its own.
    public static func text(_ name: String, of features: VMFeatures) -> String? {
        switch ModelFeature.Known(rawValue: name) {
        case .class: features.class.rawValue
        case .project: features.project
        case .uptime, .vcpu, .memory, .memoryPerVCPU: nil
        case nil: features.attributes[name]
        }
    }

    /// Fills `vector`, which has room for every feature.
    func encode(_ vm: VMFeatures, uptime: Double, into vector: UnsafeMutableBufferPointer<Float>) {
        for (index, source) in sources.enumerated() { vector[index] = value(source, vm, uptime) }
    }

    /// The numbers in the order of `features`.
    public func vector(_ vm: VMFeatures, uptime: Double) -> [Float] {
        sources.map { value($0, vm, uptime) }
    }

    private func value(_ source: Source, _ vm: VMFeatures, _ uptime: Double) -> Float {
        switch source {
        case .uptime: Self.uptime(uptime)
        case .vcpu: Float(vm.resources.milliCPU) / 1000
        case .memory: Float(vm.resources.memoryMiB) / 1024
        case .memoryPerVCPU: Float(vm.resources.memoryMiB) / 1.024 / Float(max(vm.resources.milliCPU, 1))
        case .class(let values, let otherwise): values[vm.class.rawValue] ?? otherwise
        case .project(let values, let otherwise): values[vm.project] ?? otherwise
        case .number(let attribute): vm.attributes[attribute].flatMap(Float.init) ?? .nan
        case .category(let attribute, let values, let otherwise):
            vm.attributes[attribute].flatMap { values[$0] } ?? otherwise
        }
    }

    /// The uptime as trees see it.
    public static func uptime(_ seconds: Double) -> Float { Float(log1p(max(0, seconds))) }
}
