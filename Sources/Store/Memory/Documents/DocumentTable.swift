import Fleet

/// Documents by uid and by name.
struct DocumentTable {
    private var rows: [ID<Document>: Resource] = [:]
    private var uids: [DocumentName: ID<Document>] = [:]
    private var names: [Kind: SortedSet<DocumentName>] = [:]

    subscript(uid: ID<Document>) -> Resource? { rows[uid] }

    subscript(name: DocumentName) -> Resource? { uids[name].flatMap { rows[$0] } }

    /// Documents of a kind in order of (project, name), after a position.
    func ordered(_ kind: Kind, after: DocumentName? = nil) -> some Sequence<Resource> {
        (names[kind] ?? SortedSet()).suffix(after: after).lazy.compactMap { self[$0] }
    }

    /// Inserts or replaces.
    mutating func put(_ resource: Resource) {
        let name = DocumentName(resource)
        if rows.updateValue(resource, forKey: resource.metadata.uid) == nil {
            uids[name] = resource.metadata.uid
            names[resource.kind, default: SortedSet()].insert(name)
        }
    }

    mutating func remove(_ resource: Resource) {
        let name = DocumentName(resource)
        rows[resource.metadata.uid] = nil
        uids[name] = nil
        names[resource.kind]?.remove(name)
    }
}

/// What names a document; ordered by (project, name) within a kind, no project before every project.
struct DocumentName: Hashable, Comparable {
    var kind: Kind
    var project: String
    var name: String

    init(_ kind: Kind, project: String? = nil, _ name: String) {
        self.kind = kind
        self.project = project ?? ""
        self.name = name
    }

    init(_ resource: Resource) {
        self.init(resource.kind, project: resource.metadata.project, resource.metadata.name)
    }

    static func < (lhs: DocumentName, rhs: DocumentName) -> Bool {
        (lhs.project, lhs.name, lhs.kind.rawValue) < (rhs.project, rhs.name, rhs.kind.rawValue)
    }
}
