/// Which group made a VM, and as which of its members.
public struct GroupMembership: Sendable, Hashable, Codable {
    /// Name of the group, in the VM's project.
    public var name: String
    public var uid: ID<Document>
    /// From 0; the VM is called `NAME-ORDINAL`.
    public var ordinal: Int
    /// As the group says; it never changes.
    public var placement: VMGroupSpec.Placement

    public init(name: String, uid: ID<Document>, ordinal: Int, placement: VMGroupSpec.Placement) {
        self.name = name
        self.uid = uid
        self.ordinal = ordinal
        self.placement = placement
    }

    /// Label of members, with the group's name, for selectors; what a VM is a member of is in its spec.
    public static let label = "basalt/vmgroup"
}
