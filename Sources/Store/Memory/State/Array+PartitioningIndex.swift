extension Array {
    /// First index whose element belongs to the second part, in an array whose elements of the first part all
    /// come first; the count when there is none.
    func partitioningIndex(where belongsInSecond: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = low + (high - low) / 2
            if belongsInSecond(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
