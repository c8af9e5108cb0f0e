/// A statement with its parameters, ready to be sent.
struct EncodedQuery: Sendable {
    let statement: Statement
    let parameters: EncodedParameters

    init(_ statement: Statement, _ parameters: [any PostgresEncodable]) throws {
        self.statement = statement
        do {
            self.parameters = try EncodedParameters(parameters)
        } catch var error as PostgresError {
            error.statement = statement.name
            throw error
        }
    }
}
