/// Until when parts with `onPartition: stop` may run on a host, in a file that the agent replaces with every
/// acknowledged renewal and shims read when the time they know has passed.
///
/// Times are microseconds since the boot `bootID`.
package struct FenceDeadline: Sendable, Hashable {
    package var bootID: String
    /// When shims begin to stop.
    package var stopAt: Int64
    /// When they kill what is left.
    package var killAt: Int64
    /// Wall time of the writing, microseconds since 1970: the machine was certainly up.
    package var writtenAt: Int64

    package init(bootID: String, stopAt: Int64, killAt: Int64, writtenAt: Int64) {
        self.bootID = bootID
        self.stopAt = stopAt
        self.killAt = killAt
        self.writtenAt = writtenAt
    }

    package var text: String { "\(bootID) \(stopAt) \(killAt) \(writtenAt)\n" }

    /// Nil when the text is none: a torn or strange file extends nothing.
    package init?(_ text: String) {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count == 4, let stopAt = Int64(words[1]), let killAt = Int64(words[2]),
            let writtenAt = Int64(words[3])
        else { return nil }
        self.init(bootID: String(words[0]), stopAt: stopAt, killAt: killAt, writtenAt: writtenAt)
    }

    /// The deadline in the file; nil when it is not there or is none.
    package static func read(_ path: String) -> FenceDeadline? {
        guard let bytes = try? Files.read(path) else { return nil }
        return FenceDeadline(String(decoding: bytes, as: UTF8.self))
    }
}
