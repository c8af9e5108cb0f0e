/// An amount of divisible host capacity. Integers only, so that admission is exact.
public struct Resources: Sendable, Hashable, Codable {
    /// Thousandths of a vCPU.
    public var milliCPU: Int
    /// Mebibytes of memory.
    public var memoryMiB: Int

    public init(milliCPU: Int, memoryMiB: Int) {
        self.milliCPU = milliCPU
        self.memoryMiB = memoryMiB
    }

    public static let zero = Resources(milliCPU: 0, memoryMiB: 0)

    public static func + (lhs: Resources, rhs: Resources) -> Resources {
        Resources(milliCPU: lhs.milliCPU + rhs.milliCPU, memoryMiB: lhs.memoryMiB + rhs.memoryMiB)
    }

    public static func - (lhs: Resources, rhs: Resources) -> Resources {
        Resources(milliCPU: lhs.milliCPU - rhs.milliCPU, memoryMiB: lhs.memoryMiB - rhs.memoryMiB)
    }

    public static func += (lhs: inout Resources, rhs: Resources) { lhs = lhs + rhs }
    public static func -= (lhs: inout Resources, rhs: Resources) { lhs = lhs - rhs }

    /// Whether each component is at most that of `room`.
    public func fits(in room: Resources) -> Bool {
        milliCPU <= room.milliCPU && memoryMiB <= room.memoryMiB
    }
}
