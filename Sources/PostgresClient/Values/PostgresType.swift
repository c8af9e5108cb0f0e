/// The OID of a PostgreSQL type.
public struct PostgresType: RawRepresentable, Sendable, Hashable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Lets the server infer the type from the place of the parameter.
    public static let unspecified = PostgresType(rawValue: 0)

    public static let bool = PostgresType(rawValue: 16)
    public static let bytea = PostgresType(rawValue: 17)
    public static let char = PostgresType(rawValue: 18)
    public static let name = PostgresType(rawValue: 19)
    public static let int8 = PostgresType(rawValue: 20)
    public static let int2 = PostgresType(rawValue: 21)
    public static let int4 = PostgresType(rawValue: 23)
    public static let text = PostgresType(rawValue: 25)
    public static let oid = PostgresType(rawValue: 26)
    public static let xid = PostgresType(rawValue: 28)
    public static let json = PostgresType(rawValue: 114)
    public static let xml = PostgresType(rawValue: 142)
    public static let float4 = PostgresType(rawValue: 700)
    public static let float8 = PostgresType(rawValue: 701)
    public static let unknown = PostgresType(rawValue: 705)
    public static let bpchar = PostgresType(rawValue: 1042)
    public static let varchar = PostgresType(rawValue: 1043)
    public static let date = PostgresType(rawValue: 1082)
    public static let timestamp = PostgresType(rawValue: 1114)
    public static let timestamptz = PostgresType(rawValue: 1184)
    public static let numeric = PostgresType(rawValue: 1700)
    public static let void = PostgresType(rawValue: 2278)
    public static let uuid = PostgresType(rawValue: 2950)
    public static let pgLSN = PostgresType(rawValue: 3220)
    public static let jsonb = PostgresType(rawValue: 3802)
    public static let xid8 = PostgresType(rawValue: 5069)

    public static let boolArray = PostgresType(rawValue: 1000)
    public static let byteaArray = PostgresType(rawValue: 1001)
    public static let int2Array = PostgresType(rawValue: 1005)
    public static let int4Array = PostgresType(rawValue: 1007)
    public static let textArray = PostgresType(rawValue: 1009)
    public static let int8Array = PostgresType(rawValue: 1016)
    public static let float8Array = PostgresType(rawValue: 1022)
    public static let timestamptzArray = PostgresType(rawValue: 1185)
    public static let uuidArray = PostgresType(rawValue: 2951)
    public static let jsonbArray = PostgresType(rawValue: 3807)
    public static let xid8Array = PostgresType(rawValue: 271)

    /// From here on OIDs belong to types that users made: enums, domains, composites.
    static let firstUserDefined: UInt32 = 16_384
}

extension PostgresType: CustomStringConvertible {
    public var description: String {
        Self.names[rawValue] ?? "type with oid \(rawValue)"
    }

    private static let names: [UInt32: String] = [
        16: "boolean", 17: "bytea", 18: "\"char\"", 19: "name", 20: "bigint", 21: "smallint", 23: "integer",
        25: "text", 26: "oid", 28: "xid", 114: "json", 142: "xml", 700: "real", 701: "double precision",
        705: "unknown", 1000: "boolean[]", 1001: "bytea[]", 1005: "smallint[]", 1007: "integer[]",
        1009: "text[]", 1016: "bigint[]", 1022: "double precision[]", 1042: "character",
        1043: "character varying", 1082: "date", 1114: "timestamp without time zone",
        1184: "timestamp with time zone", 1185: "timestamp with time zone[]", 1186: "interval",
        1700: "numeric", 2278: "void", 2950: "uuid", 2951: "uuid[]", 3220: "pg_lsn", 3802: "jsonb",
        3807: "jsonb[]", 271: "xid8[]", 5069: "xid8",
    ]
}

/// The two wire formats of a value.
public enum PostgresFormat: Int32, Sendable, Hashable {
    case text = 0
    case binary = 1
}
