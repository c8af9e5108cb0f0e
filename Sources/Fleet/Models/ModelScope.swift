/// Whose VMs a promoted model predicts: a pool's, else its cell's, else all.
public struct ModelScope: Sendable, Hashable, Codable {
    public var cell: String?
    public var pool: String?

    public init(cell: String? = nil, pool: String? = nil) {
        self.cell = cell
        self.pool = pool
    }

    /// Wherever no narrower model is promoted.
    public static let everywhere = ModelScope()

    /// `everywhere`, `cell a` or `pool web`.
    public var words: String {
        pool.map { "pool \($0)" } ?? cell.map { "cell \($0)" } ?? "everywhere"
    }

    /// `everywhere` or `for pool web`, within a sentence.
    public var phrase: String { self == .everywhere ? words : "for " + words }

    /// Scopes whose models a pool may go by, the narrowest first.
    public static func of(pool: String, cell: String) -> [ModelScope] {
        [ModelScope(pool: pool), ModelScope(cell: cell), .everywhere]
    }
}
