/// `spec` of a model as users send it; all else stands in the file.
public struct ModelDraftSpec: Sendable, Hashable, Codable {
    /// For people.
    public var description: String?
    /// The file that `basalt model train` wrote, as one text.
    public var file: String

    public init(description: String? = nil, file: String) {
        self.description = description
        self.file = file
    }
}

/// Body of `POST /v1/models/{name}/promote` and `/rollback`: pools of which the model is for, of one pool, of
/// a cell, or all.
public struct ModelVerbRequest: Sendable, Hashable, Codable {
    public var cell: String?
    public var pool: String?
    /// Promoting only: also a model that is worse than the one in force, or of which nobody can tell.
    public var force: Bool?

    public init(cell: String? = nil, pool: String? = nil, force: Bool? = nil) {
        self.cell = cell
        self.pool = pool
        self.force = force
    }
}
