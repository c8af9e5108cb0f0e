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

    public init(vms: [TraceVM]) { self.vms = vms }

    /// Time of the last arrival, microseconds; 0 without VMs.
    public var lastArrival: Int64 { vms.reduce(0) { max($0, $1.arrival) } }
}
