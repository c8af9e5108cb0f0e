import Fleet

/// The deadlines on disk, with the clocks they were written by.
struct FenceRecord: Sendable, Codable {
    var bootID: String
    var now: MonotonicTime
    var wall: Timestamp
    var deadlines: FenceDeadlines

    /// The deadlines on `clock`.
    ///
    /// Within one boot the boot-time clock goes on across processes, so they hold exactly, whatever is done
    /// to the wall clock. Across boots only wall time connects the two; where it went back, how long the
    /// agent was away cannot be known, and the deadlines count as passed: the parts may run elsewhere.
    func deadlines(on clock: some AgentClock) -> FenceDeadlines {
        guard bootID != clock.bootID else { return deadlines }
        let away = clock.wallTime().since(wall)
        let toNow = clock.now().since(now)
        guard away >= .zero else {
            let latest = ([deadlines.session].compactMap { $0 } + deadlines.behind.values).max() ?? now
            return deadlines.shifted(by: clock.now().since(latest))
        }
        return deadlines.shifted(by: toNow - away)
    }
}
