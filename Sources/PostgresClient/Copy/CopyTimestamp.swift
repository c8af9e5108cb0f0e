import Foundation

/// Timestamps as `2026-01-31 23:59:59.000001+00`, in the proleptic Gregorian calendar.
enum CopyTimestamp {
    static func text(of date: Date) throws -> String {
        let rounded = (date.timeIntervalSinceReferenceDate * 1_000_000).rounded()
        guard let microseconds = Int64(exactly: rounded) else {
            throw PostgresError(.encoding, "a date is not finite or out of range")
        }
        let perDay: Int64 = 86_400_000_000
        let (days, rest) = floorDivide(microseconds, by: perDay)
        // Days from 0000-03-01, where a leap day is the last day of its year, to 2001-01-01.
        let (era, dayOfEra) = floorDivide(days + 730_791, by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
        let seconds = rest / 1_000_000
        let time = [seconds / 3600, seconds / 60 % 60, seconds % 60].map { padded($0, to: 2) }
        let suffix = year <= 0 ? " BC" : ""
        return padded(year <= 0 ? 1 - year : year, to: 4) + "-" + padded(month, to: 2) + "-"
            + padded(day, to: 2) + " " + time.joined(separator: ":") + "."
            + padded(rest % 1_000_000, to: 6) + "+00" + suffix
    }

    private static func floorDivide(_ value: Int64, by divisor: Int64) -> (Int64, Int64) {
        let remainder = value % divisor
        let isBelow = remainder < 0
        return (value / divisor - (isBelow ? 1 : 0), remainder + (isBelow ? divisor : 0))
    }

    private static func padded(_ value: Int64, to width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
