/// One row of a result. Its bytes are its own: it outlives the connection.
public struct PostgresRow: Sendable {
    private let table: RowTable
    private let index: Int

    init(table: RowTable, index: Int) {
        self.table = table
        self.index = index
    }

    public var columns: [PostgresColumn] { table.columns }

    /// The bytes of a column, nil for NULL. The index must be one of `columns`.
    public func cell(at column: Int) -> PostgresCell? {
        table.cell(row: index, column: column)
    }

    /// Reads the column at an index, counted from 0. Throws `value.decoding`.
    public func decode<Value: PostgresDecodable>(
        _ type: Value.Type = Value.self, at column: Int
    ) throws -> Value {
        guard table.columns.indices.contains(column) else {
            throw PostgresError(
                .decoding, "there is no column \(column); the row has \(table.columns.count)")
        }
        do {
            if let cell = table.cell(row: index, column: column) {
                return try Value.decode(from: cell)
            }
            guard let null = Value.postgresNull else { throw PostgresDecodingFailure("the value is NULL") }
            return null
        } catch let failure as PostgresDecodingFailure {
            let head = table.columns[column]
            var error = PostgresError(
                .decoding,
                "column \"\(head.name)\" (\(head.type)) cannot be read as \(Value.self): \(failure.reason)",
                cause: failure)
            error.column = head.name
            throw error
        }
    }

    /// Reads the first column of that name. Throws `value.decoding`.
    public func decode<Value: PostgresDecodable>(
        _ name: String, as type: Value.Type = Value.self
    ) throws -> Value {
        guard let column = table.indexByName[name] else {
            var error = PostgresError(.decoding, "there is no column \"\(name)\"")
            error.column = name
            throw error
        }
        return try decode(type, at: column)
    }
}
