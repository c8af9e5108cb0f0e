/// How carefully rates are learnt. The defaults were chosen on one month of recorded use and frozen.
public struct ProtoRateSettings: Sendable, Hashable {
    /// Share of the hours that may be hotter than decided.
    public var target: Double
    /// Shapes of days that scopes are sorted into.
    public var prototypes = 6
    /// What people said about these shapes, in the order in which they did.
    public var edits: [PrototypeEdit] = []
    /// Residuals that a prototype must have for a margin of its own.
    public var leastResiduals = 200
    /// Pulls weights of the regression to zero, per row.
    public var ridge = 0.001
    /// How fast the aim follows the hours that were hot.
    public var adaptation = 0.005
    /// A share falls by at most this per hour; it rises at once.
    public var downStep = 0.05
    /// No scope is backed by less.
    public var leastShare = 0.01
    /// What a scope is backed by at least while nothing better is known of it.
    public var classDefault = 0.5
    /// A scope with less history is cold.
    public var coldHours = 24
    /// Hours in which hot ones are counted to see a drift.
    public var driftHours = 48
    /// A count that is less likely than this is a drift.
    public var driftChance = 0.01

    public init(target: Double) { self.target = target }
}
