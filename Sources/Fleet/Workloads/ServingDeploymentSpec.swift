/// A model that is served, as its owner wants it.
public struct ServingDeploymentSpec: DocumentSpec {
    public static let kind = Kind.servingDeployment
    public var cell: String?
    /// Any pool that admits serving when absent.
    public var pool: String?
    /// Name of the served model.
    public var model: String
    /// What every part runs; its engine adds to the environment.
    public var run: RunSpec?
    public var image: ImageSpec?

    public init(
        cell: String? = nil, pool: String? = nil, model: String, run: RunSpec? = nil, image: ImageSpec? = nil
    ) {
        self.cell = cell
        self.pool = pool
        self.model = model
        self.run = run
        self.image = image
    }

    public func defects() -> [FieldDefect] {
        var found: [FieldDefect] = []
        if cell == nil {
            found.append(.init(field: "spec.cell", code: .required, message: "name the cell to live in"))
        }
        if !(1...Name.labelLengthLimit).contains(model.unicodeScalars.count) {
            found.append(.init(field: "spec.model", code: .required, message: "name a model"))
        }
        return found + (run?.defects(at: "spec.run") ?? []) + (image?.defects(at: "spec.image") ?? [])
    }
}

public struct ServingDeploymentStatus: Sendable, Hashable, Codable {
    public var state: WorkloadState
    public var observedGeneration: Int
    public var cell: String?
    /// Sorted by name.
    public var parts: [PartStatus]
    public var conditions: [Condition]

    public init(
        state: WorkloadState = .pending, observedGeneration: Int = 0, cell: String? = nil,
        parts: [PartStatus] = [], conditions: [Condition] = []
    ) {
        self.state = state
        self.observedGeneration = observedGeneration
        self.cell = cell
        self.parts = parts
        self.conditions = conditions
    }
}
