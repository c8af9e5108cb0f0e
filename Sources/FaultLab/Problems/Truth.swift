/// What is wrong, and nobody but the grader and the oracle is told.
public struct Truth: Sendable, Hashable, Codable {
    /// Every one is at fault; empty when nothing is wrong.
    public var components: [ComponentName]
    /// Other names for what is at fault: what stands so close that no observation tells them apart.
    public var also: [ComponentName]
    /// Any is right; empty when nothing is wrong.
    public var systemLevels: [SystemLevel]
    public var faultTypes: [FaultType]
    /// A word for the mechanism, for statistics.
    public var mechanism: String

    public init(
        components: [ComponentName], also: [ComponentName], systemLevels: [SystemLevel],
        faultTypes: [FaultType], mechanism: String
    ) {
        self.components = components
        self.also = also
        self.systemLevels = systemLevels
        self.faultTypes = faultTypes
        self.mechanism = mechanism
    }

    public static let nothing = Truth(
        components: [], also: [], systemLevels: [], faultTypes: [], mechanism: "none")

    public var hasFault: Bool { !components.isEmpty }

    /// Whether a component of an answer is at fault.
    public func holds(_ component: ComponentName) -> Bool {
        (components + also).contains { $0.means(component) }
    }
}
