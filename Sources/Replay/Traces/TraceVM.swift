public import Fleet

/// One VM of a trace.
public struct TraceVM: Sendable, Hashable {
    /// Microseconds on the trace's own clock.
    public var arrival: Int64
    /// Microseconds on the same clock, at or after `arrival`.
    public var departure: Int64
    /// Thousandths of a vCPU.
    public var milliCPU: Int32
    /// Mebibytes.
    public var memoryMiB: Int32

    public init(arrival: Int64, departure: Int64, milliCPU: Int32, memoryMiB: Int32) {
        self.arrival = arrival
        self.departure = departure
        self.milliCPU = milliCPU
        self.memoryMiB = memoryMiB
    }

    /// The amounts as a request asks for them.
    public var resources: Resources { Resources(milliCPU: Int(milliCPU), memoryMiB: Int(memoryMiB)) }
}

/// The VMs of a trace in the order of its rows.
public struct VMTrace: Sendable, Hashable {
    /// In any order of time.
    public var vms: [TraceVM]
    /// What else was asked for and is there, one value per VM each.
    public var columns: [TraceColumn]

    public init(vms: [TraceVM], columns: [TraceColumn] = []) {
        self.vms = vms
        self.columns = columns
    }

    /// Time of the last arrival, microseconds; 0 without VMs.
    public var lastArrival: Int64 { vms.reduce(0) { max($0, $1.arrival) } }
}

/// One more column of a trace, as texts.
public struct TraceColumn: Sendable, Hashable {
    /// Lower case.
    public let name: String
    private var values: [String] = []
    private var numbers: [String: Int32] = [:]
    /// Position in `values` per row; negative for none.
    private var rows: [Int32] = []

    public init(name: String) { self.name = name }

    /// Adds the value of the next row; nil and the empty text are none.
    public mutating func append(_ value: String?) {
        guard let value, !value.isEmpty else {
            rows.append(-1)
            return
        }
        if let number = numbers[value] {
            rows.append(number)
            return
        }
        let number = Int32(values.count)
        numbers[value] = number
        values.append(value)
        rows.append(number)
    }

    /// The value of a row; nil where it has none.
    public subscript(row: Int) -> String? { rows[row] < 0 ? nil : values[Int(rows[row])] }
}
