internal import Fleet

/// Durations as people write and read them.
enum DurationText {
    /// Reads `30s`, `5m`, `1h30m`, `500ms`, `2d`; a bare number is seconds.
    static func parse(_ text: String) throws -> Duration {
        if let seconds = Double(text), seconds >= 0, seconds < 1e10 { return .seconds(seconds) }
        var rest = Substring(text)
        var total = Duration.zero
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isNumber || $0 == "." }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let value = Double(digits), value < 1e9, let seconds = seconds(per: unit) else {
                throw CommandFailure("\"\(text)\" is no duration; write 30s, 5m or 1h30m")
            }
            total += .seconds(value * seconds)
        }
        guard !text.isEmpty else { throw CommandFailure("a duration is empty; write 30s, 5m or 1h30m") }
        return total
    }

    /// The two largest units: `3d4h`, `5m12s`, `42s`. Negative durations count as zero: clocks differ.
    static func short(_ duration: Duration) -> String {
        let seconds = max(0, duration.components.seconds)
        switch seconds {
        case ..<120: return "\(seconds)s"
        case ..<600: return pair(seconds / 60, "m", seconds % 60, "s")
        case ..<7200: return "\(seconds / 60)m"
        case ..<172_800: return pair(seconds / 3600, "h", seconds % 3600 / 60, "m")
        default: return pair(seconds / 86_400, "d", seconds % 86_400 / 3600, "h")
        }
    }

    private static func pair(_ large: Int64, _ largeUnit: String, _ small: Int64, _ smallUnit: String)
        -> String
    {
        small == 0 ? "\(large)\(largeUnit)" : "\(large)\(largeUnit)\(small)\(smallUnit)"
    }

    private static func seconds(per unit: Substring) -> Double? {
        switch unit {
        case "ms": 0.001
        case "s": 1
        case "m": 60
        case "h": 3600
        case "d": 86_400
        default: nil
        }
    }
}
