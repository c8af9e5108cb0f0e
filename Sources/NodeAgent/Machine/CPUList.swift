/// The kernel's lists of CPUs, such as `0-3,8,10-11`.
enum CPUList {
    /// Highest number taken for one; far above any kernel's.
    private static let numberLimit = 1_000_000

    /// CPUs named; nil when `text` is no list.
    static func count(_ text: String) -> Int? {
        var total = 0
        for range in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = range.split(separator: "-", omittingEmptySubsequences: false).map { text in
                Int(text).flatMap { (0...numberLimit).contains($0) ? $0 : nil }
            }
            switch (ends.first ?? nil, ends.last ?? nil, ends.count) {
            case (.some, .some, 1): total += 1
            case (.some(let low), .some(let high), 2) where low <= high: total += high - low + 1
            default: return nil
            }
        }
        return total
    }
}
