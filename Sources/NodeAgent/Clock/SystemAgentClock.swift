public import Fleet
internal import Foundation

/// The clocks of the operating system.
public struct SystemAgentClock: AgentClock {
    public let bootID: String

    /// - Parameter bootID: `SystemAgentClock.currentBootID()`, or a constant where the system names no boots.
    public init(bootID: String) { self.bootID = bootID }

    /// The kernel's id of this boot; nil when it gives none. A caller without one passes an id that is new
    /// for every process, which makes spans across a restart be judged by wall time.
    public static func currentBootID() -> String? {
        let path = "/proc/sys/kernel/random/boot_id"
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        return text.isEmpty ? nil : text
    }

    public func now() -> MonotonicTime {
        #if os(Linux)
            // Counts suspended time as well, as the controllers' clock goes on meanwhile.
            let time = Self.read(CLOCK_BOOTTIME)
        #else
            let time = Self.read(CLOCK_MONOTONIC)
        #endif
        return MonotonicTime(microseconds: time)
    }

    public func wallTime() -> Timestamp { Timestamp(microseconds: Self.read(CLOCK_REALTIME)) }

    public func sleep(until deadline: MonotonicTime) async throws {
        let wait = deadline.since(now())
        if wait <= .zero {
            try Task.checkCancellation()
            return
        }
        try await Task.sleep(for: wait, clock: .continuous)
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        let status = clock_gettime(clock, &time)
        precondition(status == 0, "clock \(clock) cannot be read: errno \(errno)")
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}
