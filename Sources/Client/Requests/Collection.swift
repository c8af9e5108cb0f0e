public import Fleet

/// All documents of one kind, of one project or of all.
public struct Collection: Sendable, Hashable {
    public let kind: Kind
    /// Project of a tenant kind; nil means every project. Ignored for other kinds.
    public let project: String?

    public init(_ kind: Kind, project: String? = nil) {
        self.kind = kind
        self.project = kind.isTenant ? project : nil
    }

    var path: APIPath {
        guard let project else { return APIPath(kind.plural) }
        return APIPath("projects", project, kind.plural)
    }
}
