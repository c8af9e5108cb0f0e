/// SQL, and the name under which a connection prepares it.
///
/// A statement with a name is prepared on its first use on each connection and runs from its plan
/// afterwards; one without is parsed each time. A name belongs to one text and one list of parameter types.
public struct Statement: Sendable, Hashable {
    public let name: String?
    public let sql: String

    public init(_ sql: String) {
        self.name = nil
        self.sql = sql
    }

    public init(name: String, sql: String) {
        self.name = name
        self.sql = sql
    }
}

extension Statement: ExpressibleByStringLiteral {
    public init(stringLiteral sql: String) {
        self.init(sql)
    }
}
