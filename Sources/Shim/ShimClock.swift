internal import Glibc

/// The clocks of the operating system, microseconds.
enum ShimClock {
    /// Since boot, suspended time included: the clock that agents count leases by.
    static func now() -> Int64 { read(CLOCK_BOOTTIME) }

    /// RFC 3339 in UTC, with microseconds.
    static func wallTime() -> String {
        let microseconds = read(CLOCK_REALTIME)
        var seconds = time_t(microseconds / 1_000_000)
        var date = tm()
        gmtime_r(&seconds, &date)
        func pad(_ value: Int, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let day =
            "\(pad(Int(date.tm_year) + 1900, 4))-\(pad(Int(date.tm_mon) + 1, 2))-\(pad(Int(date.tm_mday), 2))"
        let time = "\(pad(Int(date.tm_hour), 2)):\(pad(Int(date.tm_min), 2)):\(pad(Int(date.tm_sec), 2))"
        return "\(day)T\(time).\(pad(Int(microseconds % 1_000_000), 6))Z"
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        let status = clock_gettime(clock, &time)
        precondition(status == 0, "clock \(clock) cannot be read: errno \(errno)")
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}
