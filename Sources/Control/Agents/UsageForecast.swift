public import Fleet
internal import Oversubscription
public import Store

/// What VMs will use at most, window by window of the day, from the hours that the store keeps of them.
public struct UsageForecast: Sendable {
    /// Of the past that counts: two weeks have seen every day of the week twice.
    private static let history = Duration.seconds(14 * 86_400)

    private let store: any Store
    private let windows: Int
    private let percentile: Double

    /// - Parameters:
    ///   - windows: of a day, a divisor of 24.
    ///   - percentile: of the hours of a window, from 0 to 1.
    public init(store: any Store, windows: Int = 6, percentile: Double = 0.95) {
        self.store = store
        self.windows = windows
        self.percentile = percentile
    }

    /// milliCPU of each window. A VM of which too little is known counts with all that it was sold.
    ///
    /// - Parameter vms: what each was sold, in milliCPU.
    public func peaks(of vms: [ID<Document>: Int], now: Timestamp) async throws -> [ID<Document>: [Int]] {
        let since = now.advanced(by: .zero - Self.history)
        let hours = try await store.usageHours(vms: vms.keys.sorted(), since: since)
        let byVM = Dictionary(grouping: hours, by: \.vm)
        var peaks: [ID<Document>: [Int]] = [:]
        for (vm, sold) in vms {
            let profile = UsageProfile(
                (byVM[vm] ?? []).map {
                    .init(index: $0.start / 3600, peak: Double($0.maxMilliCPU) / 1000)
                }, windows: windows)
            peaks[vm] = profile.peaks(cores: Double(sold) / 1000, percentile: percentile)
                .map { min(sold, Int(($0 * 1000).rounded(.up))) }
        }
        return peaks
    }
}
