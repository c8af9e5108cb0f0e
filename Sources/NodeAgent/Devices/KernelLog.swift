public import DeviceHealth

/// Where a reader of the kernel's log has got to.
public struct KernelLogCursor: Sendable, Hashable, Codable {
    /// Boot of the machine that the position is of.
    public var bootID: String
    /// Bytes of a file, or the kernel's number of the last record.
    public var position: UInt64
    /// The file that the position is in; another one with the same name is read from its beginning.
    public var file: UInt64?

    public init(bootID: String, position: UInt64, file: UInt64? = nil) {
        self.bootID = bootID
        self.position = position
        self.file = file
    }
}

/// Lines that follow a cursor.
public struct KernelLogBatch: Sendable, Hashable {
    public var lines: [String]
    public var cursor: KernelLogCursor?
    /// Lines that were written over before they were read.
    public var lost = 0

    public init(lines: [String], cursor: KernelLogCursor?, lost: Int = 0) {
        self.lines = lines
        self.cursor = cursor
        self.lost = lost
    }
}

/// The kernel's log of one host.
public protocol KernelLog: Sendable {
    /// What was written since, at most `KernelLogLimit.lines`; everything there is without a cursor.
    func read(after cursor: KernelLogCursor?, bootID: String) throws -> KernelLogBatch
}

enum KernelLogLimit {
    /// Lines of one look; a log that grows faster is followed with the next look.
    static let lines = 4096
    /// Bytes of one look at a file.
    static let bytes = 1 << 20
}

/// Counts what the devices of one host count.
public protocol DeviceCounterSource: Sendable {
    /// Empty where nothing can be read now.
    func counters() throws -> [DeviceCounters]
}
