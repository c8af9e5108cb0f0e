internal import Foundation

/// Steps of an injection, at which tests end the injector as a crash would.
public enum EndPoint: String, Sendable, CaseIterable {
    /// Decided; nothing is written.
    case planned
    /// The undo is on disk; nothing happened.
    case written
    /// It happened.
    case applied
    /// It was seen.
    case verified
    /// The control plane knows.
    case told
    /// It is to be taken back.
    case reverting
    /// It was taken back; the undo is still on disk.
    case undone
    /// Nothing is left.
    case removed

    /// Ends this process at once when it is the one that was asked for.
    func pass(_ wanted: EndPoint?) {
        if self == wanted { kill(getpid(), SIGKILL) }
    }
}
