/// The head of one column of a result.
public struct PostgresColumn: Sendable, Hashable {
    public let name: String
    public let type: PostgresType
    public let format: PostgresFormat
}
