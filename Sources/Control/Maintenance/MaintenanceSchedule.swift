package import Fleet

/// When maintenance may be done: a pure function of windows and fleet time.
package enum MaintenanceSchedule {
    package enum State: Sendable, Hashable {
        /// Until then, or without end.
        case open(until: Timestamp?)
        /// Until then; nil when nothing ever opens it.
        case closed(until: Timestamp?)
    }

    /// No maintenance spec is no restriction. Windows that touch or overlap are one.
    package static func state(_ spec: MaintenanceSpec?, at now: Timestamp) -> State {
        guard let spec else { return .open(until: nil) }
        if let due = spec.due, due <= now { return .open(until: nil) }
        let spans = spec.windows.flatMap { occurrences(of: $0, around: now) }.sorted { $0.from < $1.from }
        var until: Timestamp?
        for span in spans where span.from <= (until ?? now) && span.to > (until ?? now) { until = span.to }
        if let until {
            guard let due = spec.due, due <= until else { return .open(until: until) }
            return .open(until: nil)
        }
        let opening = spans.first { $0.from > now }?.from
        return .closed(until: [opening, spec.due].compactMap { $0 }.min())
    }

    private struct Span {
        var from: Timestamp
        var to: Timestamp
    }

    /// The window's occurrences that may matter now: a week back, as far as the longest reaches, and the next
    /// two weeks, so that one that is open every day is seen to be.
    private static func occurrences(of window: MaintenanceWindow, around now: Timestamp) -> [Span] {
        guard let minute = window.startMinute else { return [] }
        let today = now.microseconds.dividedRoundingDown(by: dayMicroseconds)
        return (today - 8...today + 14).compactMap { day in
            let weekday = weekdays[Int((day + 3).modulo(7))]
            guard window.days?.contains(weekday) ?? true else { return nil }
            let from = Timestamp(microseconds: day * dayMicroseconds + Int64(minute) * 60_000_000)
            return Span(from: from, to: from.advanced(by: .seconds(window.durationMinutes * 60)))
        }
    }

    private static let dayMicroseconds: Int64 = 86_400_000_000
    /// The first of January 1970 was a Thursday.
    private static let weekdays = MaintenanceWindow.Weekday.allCases
}

extension Int64 {
    fileprivate func dividedRoundingDown(by divisor: Int64) -> Int64 {
        (self - modulo(divisor)) / divisor
    }

    /// The rest of a division, never negative.
    fileprivate func modulo(_ divisor: Int64) -> Int64 {
        let rest = self % divisor
        return rest < 0 ? rest + divisor : rest
    }
}
