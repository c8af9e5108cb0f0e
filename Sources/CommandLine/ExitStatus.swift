/// What a command tells the shell.
public enum ExitStatus: Int32, Sendable {
    case done = 0
    case failed = 1
    /// `diff` and `plan`: applying would change something.
    case changesPresent = 2
    /// A condition was waited for and did not come.
    case timedOut = 3
    /// The object changed since it was read.
    case stale = 4
    /// A guard refused; a person must insist.
    case refused = 5
    case interrupted = 130
}
