import CLibPQ

/// Some rows of one result: all their bytes in one array, and where each cell is.
final class RowTable: Sendable {
    /// Where the bytes of a cell are; a NULL has the start -1.
    struct Place: Sendable {
        var start: Int
        var count: Int
    }

    let columns: [PostgresColumn]
    /// Index of the first column of each name: readers of many rows ask for the same names again and again.
    let indexByName: [String: Int]
    let rowCount: Int
    private let bytes: [UInt8]
    private let places: [Place]

    fileprivate init(columns: [PostgresColumn], rowCount: Int, bytes: [UInt8], places: [Place]) {
        self.columns = columns
        indexByName = Dictionary(
            columns.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.rowCount = rowCount
        self.bytes = bytes
        self.places = places
    }

    func cell(row: Int, column: Int) -> PostgresCell? {
        let place = places[row * columns.count + column]
        guard place.start >= 0 else { return nil }
        let head = columns[column]
        return PostgresCell(
            type: head.type, format: head.format, storage: bytes,
            range: place.start..<place.start + place.count)
    }

    var rows: [PostgresRow] {
        (0..<rowCount).map { PostgresRow(table: self, index: $0) }
    }
}

/// Copies rows out of libpq results, so that nothing of libpq outlives the call that read it.
struct RowTableBuilder {
    private(set) var columns: [PostgresColumn]
    private(set) var rowCount = 0
    private var bytes: [UInt8] = []
    private var places: [RowTable.Place] = []

    init(columns: [PostgresColumn]) {
        self.columns = columns
    }

    init(head result: OpaquePointer) {
        columns = (0..<PQnfields(result)).map { column in
            PostgresColumn(
                name: PQfname(result, column).map { String(cString: $0) } ?? "",
                type: PostgresType(rawValue: PQftype(result, column)),
                format: PQfformat(result, column) == 0 ? .text : .binary)
        }
    }

    var byteCount: Int { bytes.count }

    mutating func append(_ result: OpaquePointer) {
        let added = PQntuples(result)
        places.reserveCapacity(places.count + Int(added) * columns.count)
        for row in 0..<added {
            for column in 0..<Int32(columns.count) {
                if PQgetisnull(result, row, column) != 0 {
                    places.append(RowTable.Place(start: -1, count: 0))
                    continue
                }
                let count = Int(PQgetlength(result, row, column))
                places.append(RowTable.Place(start: bytes.count, count: count))
                guard count > 0, let value = PQgetvalue(result, row, column) else { continue }
                bytes.append(contentsOf: UnsafeRawBufferPointer(start: value, count: count))
            }
        }
        rowCount += Int(added)
    }

    func build() -> RowTable {
        RowTable(columns: columns, rowCount: rowCount, bytes: bytes, places: places)
    }

    /// The rows so far; the builder starts anew with the same columns.
    mutating func take() -> [PostgresRow] {
        let rows = build().rows
        self = RowTableBuilder(columns: columns)
        return rows
    }
}
