public import Fleet

/// VM groups and the VMs that they own.
public protocol GroupStore: Sendable {
    /// VMs that these groups made, those that are being deleted included, sorted by (project, name).
    func members(of groups: [ID<Document>]) async throws -> [Resource]

    /// Makes and takes away members of one group, in one transaction.
    ///
    /// - Returns: false when the group is gone, has another generation than the change was made for, or is
    ///   being deleted while members are to be made; nothing is written then.
    /// - Throws: `leaseLost`, and what `create` throws.
    func changeMembers(_ change: MemberChange, lease: CellLease, context: WriteContext) async throws -> Bool

    /// Removes groups that are marked deleted and have no member left.
    ///
    /// - Returns: the uids that are gone.
    /// - Throws: `leaseLost`.
    func finalizeGroups(_ groups: [ID<Document>], lease: CellLease) async throws -> [ID<Document>]
}

/// What a controller wants of a group's members.
public struct MemberChange: Sendable, Hashable {
    public var group: ID<Document>
    /// `metadata.generation` of the group that this follows from.
    public var generation: Int
    /// Members to make.
    public var made: [DocumentDraft]
    /// Members to delete; what is no member of the group is left alone.
    public var gone: [ID<Document>]
    /// About the group.
    public var events: [EventDraft]

    public init(
        group: ID<Document>, generation: Int, made: [DocumentDraft] = [], gone: [ID<Document>] = [],
        events: [EventDraft] = []
    ) {
        self.group = group
        self.generation = generation
        self.made = made
        self.gone = gone
        self.events = events
    }
}
