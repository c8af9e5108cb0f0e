public import VMPlacement

import Fleet

/// Reads lifetimes to learn from: comma-separated text with a header that names `vcpu`, `mem_gb`,
/// `lifetime_s` and `censored`, which is 1 for a VM that was still running when it was last seen.
public struct LifetimeReader: Sendable {
    public init() {}

    /// - Throws: `TraceError` that names file, line, column, value and what was expected.
    public func read(_ source: TraceSource) throws(TraceError) -> [LifetimeObservation] {
        var parser = LifetimeParser(file: source.name)
        try source.forEachLine { (number, line) throws(TraceError) in try parser.parse(line, number: number) }
        return try parser.finish()
    }
}

private struct LifetimeParser: ~Copyable {
    private static let columns = ["vcpu", "mem_gb", "lifetime_s", "censored"]

    private var fields: RowFields
    private var observations: [LifetimeObservation] = []

    init(file: String) { fields = RowFields(file: file) }

    mutating func parse(_ line: Span<UInt8>, number: Int) throws(TraceError) {
        guard try fields.split(line, number, columns: Self.columns) else { return }
        let resources = Resources(
            milliCPU: Int(try fields.milliCPU(0, line, number)),
            memoryMiB: Int(try fields.memoryMiB(1, line, number)))
        let lifetime = try fields.number(2, line, number, expected: "seconds from 0 on")
        let censored = try fields.number(3, line, number, expected: "0 or 1")
        observations.append(
            LifetimeObservation(
                features: VMFeatures(resources: resources), seconds: Double(lifetime) / 1e6,
                hasEnded: censored == 0))
    }

    consuming func finish() throws(TraceError) -> [LifetimeObservation] {
        try fields.requireHeader(Self.columns)
        guard observations.contains(where: \.hasEnded) else {
            throw TraceError(.empty, file: fields.file, expected: "at least one VM that ended")
        }
        return observations
    }
}
