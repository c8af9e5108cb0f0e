/// What lifetime-aware placement goes by, beside the model. The defaults are those that measured best on the
/// Azure trace of 2017; the paper's own are not all published.
public struct LifetimeSettings: Sendable, Hashable {
    /// Longest prediction; nil sets none. Beyond a week, long is long.
    public var cap: Duration?
    /// Steps of the temporal cost: by how much a host would have to stay longer, in ascending order, at most
    /// 15. Coarse steps leave ties for packing to decide.
    public var boundaries: [Duration]
    /// Share of a host in use, of CPU or memory, per mille, at which an open host starts recycling.
    public var nearlyFullPerMille: Int
    /// A host's deadline is this many times the longest lifetime of its class, per mille.
    public var slackPerMille: Int
    /// Classes of VMs and hosts.
    public var ladder: LifetimeLadder

    public static let boundaryLimit = 15

    public init(
        cap: Duration? = .seconds(7 * 86_400), boundaries: [Duration] = Self.usualBoundaries,
        nearlyFullPerMille: Int = 900, slackPerMille: Int = 1100, ladder: LifetimeLadder = .paper
    ) {
        self.cap = cap
        self.boundaries = Array(boundaries.sorted().prefix(Self.boundaryLimit))
        self.nearlyFullPerMille = nearlyFullPerMille
        self.slackPerMille = slackPerMille
        self.ladder = ladder
    }

    /// 30 min, 1, 3, 6, 12, 24 and 72 h.
    public static let usualBoundaries: [Duration] = [1800, 3600, 10_800, 21_600, 43_200, 86_400, 259_200].map
    {
        .seconds($0)
    }

    /// Microseconds from now within which a host of the class should be done with it.
    func deadline(of lifetimeClass: LifetimeClass) -> Int64 {
        Int64(ladder.longestSeconds(of: lifetimeClass)) * 1000 * Int64(slackPerMille)
    }
}
