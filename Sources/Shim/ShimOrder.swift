internal import Glibc

/// What a shim runs and how, written by the agent before the shim starts.
///
/// On disk: `key NUL value NUL …`, as neither commands nor environments can hold a NUL.
package struct ShimOrder: Sendable, Hashable {
    package var host: String
    package var allocation: String
    package var workload: String
    package var part: String
    /// The directive as JSON, for the journal.
    package var directive: String
    /// At least one word; the first is a path, or a name to be looked up in the environment's `PATH`.
    package var command: [String]
    /// `NAME=value`.
    package var environment: [String]
    /// Where the command runs.
    package var directory: String
    /// Ends at the fence deadline.
    package var stopsOnPartition: Bool
    /// What asks the command to end.
    package var stopSignal: Int32
    /// Between that and SIGKILL, milliseconds.
    package var graceMilliseconds: Int64
    /// Runs before that signal is sent, beside the command; empty for none.
    package var stopCommand: [String]
    /// What it may take, milliseconds.
    package var stopCommandMilliseconds: Int64
    /// Directories of control groups to join.
    package var groups: [String]
    /// Bytes; 0 for no bound.
    package var addressSpace: UInt64
    package var niceness: Int32
    /// File of the fence deadline, and socket to which changes are told.
    package var fence: String
    package var hints: String
    package var bootID: String
    /// Bytes of one piece of the output, and pieces that are kept.
    package var logBytes: Int64
    package var logFiles: Int

    package init(
        host: String, allocation: String, workload: String, part: String, directive: String,
        command: [String], environment: [String], directory: String, stopsOnPartition: Bool,
        stopSignal: Int32, graceMilliseconds: Int64, stopCommand: [String] = [],
        stopCommandMilliseconds: Int64 = 0, groups: [String], addressSpace: UInt64, niceness: Int32,
        fence: String,
        hints: String, bootID: String, logBytes: Int64, logFiles: Int
    ) {
        self.host = host
        self.allocation = allocation
        self.workload = workload
        self.part = part
        self.directive = directive
        self.command = command
        self.environment = environment
        self.directory = directory
        self.stopsOnPartition = stopsOnPartition
        self.stopSignal = stopSignal
        self.graceMilliseconds = graceMilliseconds
        self.stopCommand = stopCommand
        self.stopCommandMilliseconds = stopCommandMilliseconds
        self.groups = groups
        self.addressSpace = addressSpace
        self.niceness = niceness
        self.fence = fence
        self.hints = hints
        self.bootID = bootID
        self.logBytes = logBytes
        self.logFiles = logFiles
    }

    package var bytes: [UInt8] {
        let fields: [(String, String)] =
            [
                ("host", host), ("allocation", allocation), ("workload", workload), ("part", part),
                ("directive", directive), ("directory", directory),
                ("partition", stopsOnPartition ? "stop" : "keep"), ("signal", "\(stopSignal)"),
                ("grace", "\(graceMilliseconds)"), ("stopTime", "\(stopCommandMilliseconds)"),
                ("addressSpace", "\(addressSpace)"), ("niceness", "\(niceness)"), ("fence", fence),
                ("hints", hints), ("boot", bootID), ("logBytes", "\(logBytes)"), ("logFiles", "\(logFiles)"),
            ] + command.map { ("command", $0) } + environment.map { ("environment", $0) }
            + groups.map { ("group", $0) }
            + stopCommand.map { ("stopCommand", $0) }
        return fields.flatMap { Array($0.0.utf8) + [0] + Array($0.1.utf8) + [0] }
    }

    /// Nil when a field is missing or makes no sense.
    package init?(_ bytes: [UInt8]) {
        guard bytes.last == 0 else { return nil }
        let words = bytes.dropLast().split(separator: 0, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard words.count.isMultiple(of: 2) else { return nil }
        var fields: [String: [String]] = [:]
        for index in stride(from: 0, to: words.count, by: 2) {
            fields[words[index], default: []].append(words[index + 1])
        }
        func text(_ key: String) -> String? { fields[key]?.first }
        func number<Value: FixedWidthInteger>(_ key: String) -> Value? { text(key).flatMap { Value($0) } }
        guard let host = text("host"), let allocation = text("allocation"), let workload = text("workload"),
            let part = text("part"), let directive = text("directive"), let directory = text("directory"),
            let partition = text("partition"), let fence = text("fence"), let hints = text("hints"),
            let bootID = text("boot"), let command = fields["command"], let grace: Int64 = number("grace"),
            let addressSpace: UInt64 = number("addressSpace"), let niceness: Int32 = number("niceness"),
            let logBytes: Int64 = number("logBytes"), let logFiles: Int = number("logFiles")
        else { return nil }
        self.init(
            host: host, allocation: allocation, workload: workload, part: part, directive: directive,
            command: command, environment: fields["environment"] ?? [], directory: directory,
            // An order of an older agent names none.
            stopsOnPartition: partition != "keep", stopSignal: number("signal") ?? SIGTERM,
            graceMilliseconds: grace, stopCommand: fields["stopCommand"] ?? [],
            stopCommandMilliseconds: number("stopTime") ?? 0, groups: fields["group"] ?? [],
            addressSpace: addressSpace, niceness: niceness, fence: fence, hints: hints, bootID: bootID,
            logBytes: logBytes, logFiles: logFiles)
    }
}
