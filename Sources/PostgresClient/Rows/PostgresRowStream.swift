/// The rows of a running statement. It is valid inside `withRows` and is read once.
public struct PostgresRowStream: AsyncSequence, Sendable {
    public typealias Element = PostgresRow
    public typealias Failure = any Error

    let connection: PostgresConnection
    let number: UInt64

    public func makeAsyncIterator() -> Iterator {
        Iterator(connection: connection, number: number)
    }

    public struct Iterator: AsyncIteratorProtocol {
        private let connection: PostgresConnection
        private let number: UInt64
        private var rows: [PostgresRow] = []
        private var position = 0

        fileprivate init(connection: PostgresConnection, number: UInt64) {
            self.connection = connection
            self.number = number
        }

        public mutating func next() async throws -> PostgresRow? {
            if position == rows.count {
                guard let batch = try await connection.nextRows(of: number) else { return nil }
                rows = batch
                position = 0
            }
            defer { position += 1 }
            return rows[position]
        }
    }
}
