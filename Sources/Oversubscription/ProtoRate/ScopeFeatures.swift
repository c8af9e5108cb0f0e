/// What a decision goes by. All of it is of hours before the one that is decided: the past is handed over,
/// and nothing else can be seen.
public enum ScopeFeatures {
    /// Numbers per row.
    public static let count = 4

    /// - Parameter past: peaks of all hours before the decided one, at least a week's.
    /// - Returns: the greatest of the same hour in seven days, of the last day and of the last week, and the
    ///   mean of the last week.
    public static func of(past: ArraySlice<Double>) -> [Double] {
        let week = past.suffix(RateSplit.lookBack)
        // 24 h, 48 h, … before the hour that is decided, which follows the last of the past.
        let sameHour = (1...7).map { $0 * 24 <= past.count ? past[past.endIndex - $0 * 24] : 0 }
        return [
            sameHour.max() ?? 0, past.suffix(24).max() ?? 0, week.max() ?? 0,
            week.isEmpty ? 0 : week.reduce(0, +) / Double(week.count),
        ]
    }
}
