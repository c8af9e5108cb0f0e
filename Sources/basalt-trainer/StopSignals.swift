internal import Foundation

/// The signals that ask for a checkpoint and the end; blocked, and waited for in place of a sleep.
struct StopSignals {
    private var set = sigset_t()

    init() {
        sigemptyset(&set)
        for signal in [SIGTERM, SIGINT, SIGUSR1, SIGUSR2] { sigaddset(&set, signal) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Whether one came within some seconds.
    mutating func wait(seconds: Double) -> Bool {
        let whole = max(0, seconds.rounded(.down))
        var time = timespec(tv_sec: Int(whole), tv_nsec: Int((max(0, seconds) - whole) * 1e9))
        return sigtimedwait(&set, nil, &time) > 0
    }
}
