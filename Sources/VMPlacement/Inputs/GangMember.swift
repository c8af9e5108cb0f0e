public import Fleet

/// The place of a VM among those that get their hosts in one plan, or none of them does.
public struct GangMember: Sendable, Hashable {
    /// The group whose members they are.
    public var group: ID<Document>
    /// Its name, for explanations.
    public var name: String
    /// Members are tried in this order.
    public var ordinal: Int
    /// How many are placed together. A planner that sees fewer of them leaves them alone: whoever asked did
    /// not show it the whole gang.
    public var count: Int

    public init(group: ID<Document>, name: String, ordinal: Int, count: Int) {
        self.group = group
        self.name = name
        self.ordinal = ordinal
        self.count = count
    }
}
