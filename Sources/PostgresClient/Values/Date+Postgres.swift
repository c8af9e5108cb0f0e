public import Foundation

/// `timestamp with time zone`, in microseconds.
///
/// A `Date` counts seconds in floating point: between the years 1865 and 2137 every microsecond has a `Date`
/// of its own, so a value that was read is written back exactly. A `Date` between two microseconds goes as
/// the nearer one; farther away the values read are rounded.
extension Date: PostgresEncodable, PostgresArrayElement, PostgresDecodable, PostgresArrayDecodable {
    public static var postgresType: PostgresType { .timestamptz }
    public static var postgresArrayType: PostgresType { .timestamptzArray }

    /// From PostgreSQL's epoch, 2000-01-01, to Foundation's, 2001-01-01: a leap year.
    private static let epochDifference: Int64 = 366 * 86_400 * 1_000_000

    public func encode(into buffer: inout PostgresBuffer) throws {
        buffer.append(integer: try postgresMicroseconds())
    }

    public static func encodeArray(_ elements: [Date], into buffer: inout PostgresBuffer) throws {
        try PostgresArrayLayout.appendIntegers(elements, elementType: .timestamptz, to: &buffer) {
            try $0.postgresMicroseconds()
        }
    }

    public static func decode(from cell: PostgresCell) throws -> Date {
        try cell.requireBinary()
        guard cell.type == .timestamptz else { throw PostgresDecodingFailure.wrongType }
        let microseconds = try cell.integer(Int64.self)
        guard microseconds != .max, microseconds != .min else {
            throw PostgresDecodingFailure("the timestamp is infinite")
        }
        let (sinceReference, overflow) = microseconds.subtractingReportingOverflow(epochDifference)
        guard !overflow else { throw PostgresDecodingFailure("the timestamp is out of range") }
        return Date(timeIntervalSinceReferenceDate: Double(sinceReference) / 1_000_000)
    }

    /// Microseconds since 2000-01-01 UTC. The two extreme values mean infinity to the server.
    private func postgresMicroseconds() throws -> Int64 {
        let rounded = (timeIntervalSinceReferenceDate * 1_000_000).rounded()
        guard let sinceReference = Int64(exactly: rounded) else {
            throw PostgresError(.encoding, "a date is not finite or out of range")
        }
        let (value, overflow) = sinceReference.addingReportingOverflow(Self.epochDifference)
        guard !overflow, value != .max, value != .min else {
            throw PostgresError(.encoding, "a date is not finite or out of range")
        }
        return value
    }
}
