/// A process for all time of a boot: ids are used again, but not with the same start time.
package struct ProcessIdentity: Sendable, Hashable {
    package var processID: Int32
    /// Clock ticks since boot at which it started, field 22 of `/proc/PID/stat`.
    package var startTicks: UInt64

    package init(processID: Int32, startTicks: UInt64) {
        self.processID = processID
        self.startTicks = startTicks
    }

    /// The process that has the id now; nil when none has.
    package init?(of processID: Int32) {
        guard let fields = Self.stat(of: processID), fields.count > 19, let ticks = UInt64(fields[19]),
            fields[0] != "Z"
        else { return nil }
        self.init(processID: processID, startTicks: ticks)
    }

    /// Whether this very process still runs; a zombie does not.
    package var isAlive: Bool { ProcessIdentity(of: processID) == self }

    /// Parent of the process that has the id now.
    static func parent(of processID: Int32) -> Int32? {
        stat(of: processID).flatMap { $0.count > 1 ? Int32($0[1]) : nil }
    }

    /// Fields from the state on: a name may hold spaces and parentheses.
    private static func stat(of processID: Int32) -> [Substring]? {
        guard let bytes = try? Files.read("/proc/\(processID)/stat"),
            let end = bytes.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        return String(decoding: bytes[(end + 1)...], as: UTF8.self).split(separator: " ")
    }
}

/// Who runs a part, as its shim wrote it down.
package struct ProcessRecord: Sendable, Hashable {
    package var bootID: String
    package var shim: ProcessIdentity
    package var command: ProcessIdentity

    package init(bootID: String, shim: ProcessIdentity, command: ProcessIdentity) {
        self.bootID = bootID
        self.shim = shim
        self.command = command
    }

    package var text: String {
        "\(bootID)\nshim \(shim.processID) \(shim.startTicks)\n"
            + "command \(command.processID) \(command.startTicks)\n"
    }

    /// Nil when the text is none.
    package init?(_ text: String) {
        let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
        guard lines.count == 3, lines[0].count == 1, let shim = Self.identity(lines[1], "shim"),
            let command = Self.identity(lines[2], "command")
        else { return nil }
        self.init(bootID: String(lines[0][0]), shim: shim, command: command)
    }

    private static func identity(_ words: [Substring], _ name: String) -> ProcessIdentity? {
        guard words.count == 3, words[0] == name, let id = Int32(words[1]), id > 1,
            let ticks = UInt64(words[2])
        else { return nil }
        return ProcessIdentity(processID: id, startTicks: ticks)
    }
}
