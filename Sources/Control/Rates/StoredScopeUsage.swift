public import Fleet
public import Store

/// The use of scopes as the store keeps it, hour by hour.
public struct StoredScopeUsage: ScopeUsageSource {
    /// Scopes of one read: two months of each are some 90,000 rows.
    private static let scopesPerRead = 64
    /// Hours that may be missing between two that are known, a long weekend. A longer gap ends the history.
    static let longestGap = 96

    private let store: any Store

    public init(store: any Store) { self.store = store }

    public func profiles(of scopes: [RateScope], cell: String, until: Timestamp) async throws
        -> [RateScope: ScopeProfile]
    {
        let end = Int(until.microseconds / 3_600_000_000)
        let since = Timestamp(seconds: Double((end - RatePlanner.mostHours - Self.longestGap) * 3600))
        var found: [RateScope: ScopeProfile] = [:]
        for begin in stride(from: 0, to: scopes.count, by: Self.scopesPerRead) {
            let some = Array(scopes[begin..<min(scopes.count, begin + Self.scopesPerRead)])
            for (scope, hours) in try await store.scopeHours(of: some, since: since) {
                found[scope] = Self.profile(hours, until: end)
            }
        }
        return found
    }

    /// What is known of a scope without a gap; nil when nothing is.
    ///
    /// A missing hour counts as the greatest of the day before it and the hour after the gap: what nobody saw
    /// was no less.
    ///
    /// - Parameters:
    ///   - hours: ascending.
    ///   - end: hours from 1970, of the hour that does not count any more.
    static func profile(_ hours: [ScopeHour], until end: Int) -> ScopeProfile? {
        var (first, peaks): (Int, [Double]) = (0, [])
        var latest: ScopeHour?
        for hour in hours where hour.start / 3600 < end {
            // Where nothing is sold there is nothing to learn.
            guard let peak = hour.peak else { continue }
            let index = hour.start / 3600
            let missing = index - first - peaks.count
            if !peaks.isEmpty, missing <= longestGap {
                let greatest = max(peaks.suffix(24).max() ?? 0, peak)
                peaks += [Double](repeating: greatest, count: max(0, missing))
            } else {
                (first, peaks) = (index, [])
            }
            peaks.append(peak)
            latest = hour
        }
        guard let latest else { return nil }
        return ScopeProfile(
            peaks: peaks, firstHour: first,
            concentration: Double(latest.largestMilliCPU) / Double(latest.soldMilliCPU),
            milliCPU: latest.soldMilliCPU)
    }
}
