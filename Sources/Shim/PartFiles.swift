/// Names in the directory of a part, which is the working directory of its shim.
package enum PartFiles {
    /// What the shim does.
    package static let order = "order"
    /// Starts and stops; its lock is held by the shim for as long as it lives.
    package static let journal = "run.journal"
    /// Who runs, written once it does.
    package static let process = "process"
    /// Datagrams to the shim: `stop`.
    package static let control = "control.sock"
    /// What the shim complains about.
    package static let complaints = "shim.log"
    /// Pieces of the command's output are named by the position of their first byte.
    package static func output(from position: Int) -> String {
        let digits = String(position)
        return outputPrefix + String(repeating: "0", count: max(0, 19 - digits.count)) + digits
    }
    package static let outputPrefix = "output."
    /// Where the command may write.
    package static let work = "work"

    /// Descriptor under which a shim inherits its locked journal.
    package static let journalDescriptor: Int32 = 3
    /// What is sent to `control`.
    package static let stopMessage = "stop"
}
