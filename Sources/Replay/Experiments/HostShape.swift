public import Fleet

/// What every host of an experiment has.
public struct HostShape: Sendable, Hashable {
    /// Capacity; nothing of it is reserved.
    public var resources: Resources

    public init(resources: Resources) { self.resources = resources }

    /// Reads `vCPUxGiB`, such as `64x192`.
    ///
    /// - Throws: `OptionError` with the nearest valid choice.
    public init(parsing text: String) throws(OptionError) {
        let parts = text.split(separator: "x", omittingEmptySubsequences: false)
        guard parts.count == 2, let vCPU = Int(parts[0]), let gibibytes = Int(parts[1]),
            (1...Self.vCPULimit).contains(vCPU), (1...Self.gibibyteLimit).contains(gibibytes)
        else {
            throw OptionError(
                field: "host", value: text,
                expected: "vCPUxGiB from 1x1 to \(Self.vCPULimit)x\(Self.gibibyteLimit)",
                nearest: Self.nearest(text))
        }
        resources = Resources(milliCPU: vCPU * 1000, memoryMiB: gibibytes * 1024)
    }

    private static let vCPULimit = WorkloadLimit.milliCPU / 1000
    private static let gibibyteLimit = WorkloadLimit.memoryMiB / 1024

    /// The first two numbers of the text, brought into range; a common shape when there are not two.
    private static func nearest(_ text: String) -> String {
        let numbers = text.split { !("0"..."9").contains($0) }.map { Int($0) ?? Int.max }
        guard numbers.count >= 2 else { return "64x192" }
        return "\(min(max(numbers[0], 1), vCPULimit))x\(min(max(numbers[1], 1), gibibyteLimit))"
    }
}
