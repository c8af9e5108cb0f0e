/// How the processes of a host are kept.
public struct ProcessConfiguration: Sendable {
    /// Where parts, images and journals are; one substrate at a time.
    public var directory: String
    /// Name of the host.
    public var host: String
    /// Path of the program `basalt-shim`.
    public var shim: String
    /// Between SIGTERM and SIGKILL of a part that is asked to stop.
    public var grace: Duration
    /// Bytes of one piece of a part's output, and pieces that are kept.
    public var logBytes: Int
    public var logFiles: Int
    /// Starts under way at once: unpacking and forking keep a CPU and a disk busy, and a host that is asked
    /// for hundreds of parts still has to report.
    public var parallelStarts: Int

    /// 4 pieces of 16 MiB keep a chatty day and bound 200 parts to 13 GB.
    public init(
        directory: String, host: String, shim: String, grace: Duration = .seconds(10),
        logBytes: Int = 16 << 20, logFiles: Int = 4, parallelStarts: Int = 8
    ) {
        self.directory = directory
        self.host = host
        self.shim = shim
        self.grace = grace
        self.logBytes = logBytes
        self.logFiles = logFiles
        self.parallelStarts = parallelStarts
    }
}
