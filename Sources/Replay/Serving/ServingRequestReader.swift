public import ServingPlanning

/// Requests of a file, and when they came where the file says so.
public struct ServingRequests: Sendable, Hashable {
    /// In the order of the file.
    public var sizes: [RequestSize]
    /// Seconds from the first request on, ascending, in an order of their own with their sizes; nil without
    /// a column of times.
    public var timed: [TimedRequest]?

    /// Requests per second over the whole file; nil without times, or when all came at once.
    public var rate: Double? {
        guard let timed, let last = timed.last, last.arrival > 0 else { return nil }
        return Double(timed.count - 1) / last.arrival
    }
}

/// Reads requests to a language model: a header that names `ContextTokens` and `GeneratedTokens`, and perhaps
/// `TIMESTAMP`, as seconds or as `YYYY-MM-DD HH:MM:SS.fraction`; plain or compressed with gzip.
///
/// An answer without tokens counts as one token: its prompt was served.
public struct ServingRequestReader: Sendable {
    private static let columns = ["contexttokens", "generatedtokens"]
    private static let tokenLimit: Int64 = 10_000_000

    public init() {}

    /// - Throws: `TraceError` for the first line that is not as described.
    public func read(_ source: TraceSource) throws(TraceError) -> ServingRequests {
        let text = TraceSource.bytes(try GzipText.bytes(of: source), name: source.name)
        var fields = RowFields(file: source.name)
        var sizes: [RequestSize] = []
        var times: [Double] = []
        try text.forEachLine { (number, line) throws(TraceError) in
            guard try fields.split(line, number, columns: Self.columns, optional: ["timestamp"]) else {
                return
            }
            let prompt = try Self.tokens(0, fields, line, number, least: 1)
            let output = try Self.tokens(1, fields, line, number, least: 0)
            sizes.append(RequestSize(prompt: prompt, output: max(output, 1)))
            guard fields.hasOptional(0) else { return }
            let text = fields.optionalText(0, line) ?? ""
            guard let time = Self.seconds(text) else {
                throw TraceError(
                    .badValue, file: source.name, line: number, column: "timestamp", value: text,
                    expected: "seconds, or YYYY-MM-DD HH:MM:SS")
            }
            times.append(time)
        }
        try fields.requireHeader(Self.columns)
        guard !sizes.isEmpty else {
            throw TraceError(.empty, file: source.name, expected: "at least one request")
        }
        return ServingRequests(sizes: sizes, timed: Self.timed(sizes, times))
    }

    private static func tokens(
        _ column: Int, _ fields: borrowing RowFields, _ line: Span<UInt8>, _ number: Int, least: Int64
    ) throws(TraceError) -> Int {
        let words = "a whole number from \(least) to \(tokenLimit)"
        let value = try fields.number(column, line, number, expected: words)
        let tokens = value / DecimalField.one
        guard value % DecimalField.one == 0, tokens >= least, tokens <= tokenLimit else {
            throw TraceError(
                .outOfRange, file: fields.file, line: number, column: columns[column],
                value: fields.text(column, line), expected: words)
        }
        return Int(tokens)
    }

    private static func timed(_ sizes: [RequestSize], _ times: [Double]) -> [TimedRequest]? {
        guard times.count == sizes.count, let first = times.min() else { return nil }
        let order = times.indices.sorted { (times[$0], $0) < (times[$1], $1) }
        return order.map { TimedRequest(arrival: times[$0] - first, size: sizes[$0]) }
    }

    /// Seconds since some midnight.
    static func seconds(_ text: String) -> Double? {
        if let number = Double(text) { return number.isFinite ? number : nil }
        let parts = text.split(whereSeparator: { $0 == " " || $0 == "T" })
        guard parts.count == 2 else { return nil }
        let date = parts[0].split(separator: "-").map { Int($0) }
        var clock = parts[1]
        if clock.hasSuffix("Z") { clock.removeLast() }
        let time = clock.split(separator: ":").map { Double($0) }
        guard date.count == 3, time.count == 3, let year = date[0], let month = date[1], let day = date[2],
            let hour = time[0], let minute = time[1], let second = time[2], (1...12).contains(month),
            (1...31).contains(day)
        else { return nil }
        return Double(days(year, month, day)) * 86_400 + hour * 3600 + minute * 60 + second
    }

    /// Days of the Gregorian calendar, counted from March on so that leap days come last.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let year = month > 2 ? year : year - 1
        let month = month > 2 ? month - 3 : month + 9
        return 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day
    }
}
