/// Splits a stream of bytes into server-sent events (WHATWG HTML, section 9.2), keeping what it is of use
/// here: the data of each event.
struct ServerSentEventParser: Sendable {
    /// A longer line or event is no document of ours; it would only fill memory.
    static let longestEvent = 8 << 20

    private let limit: Int
    private var line: [UInt8] = []
    private var data: [UInt8] = []
    private var hasData = false
    private var lastWasReturn = false

    /// - Parameter limit: longest event, bytes.
    init(limit: Int = longestEvent) { self.limit = limit }

    /// Takes bytes in and gives the data of every event that they complete.
    mutating func feed(_ bytes: some Sequence<UInt8>) throws(ClientError) -> [[UInt8]] {
        var events: [[UInt8]] = []
        for byte in bytes {
            defer { lastWasReturn = byte == UInt8(ascii: "\r") }
            switch byte {
            case UInt8(ascii: "\n") where lastWasReturn: continue
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                if let event = endLine() { events.append(event) }
            default: line.append(byte)
            }
            guard line.count + data.count <= limit else {
                throw .unintelligible("the server sent a watch event above \(limit) bytes")
            }
        }
        return events
    }

    private mutating func endLine() -> [UInt8]? {
        defer { line.removeAll(keepingCapacity: true) }
        if line.isEmpty {
            guard hasData else { return nil }
            defer {
                data = []
                hasData = false
            }
            return data
        }
        let prefix = Array("data:".utf8)
        guard line.starts(with: prefix) else { return nil }
        var value = line.dropFirst(prefix.count)
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        if hasData { data.append(UInt8(ascii: "\n")) }
        data += value
        hasData = true
        return nil
    }
}
