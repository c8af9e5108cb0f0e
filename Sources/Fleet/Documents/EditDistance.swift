/// Finds the valid choice that a user most likely meant.
public enum EditDistance {
    /// The candidate with the fewest insertions, deletions and replacements, at most half the word's length;
    /// nil when none is near.
    public static func nearest(to word: String, among candidates: [String]) -> String? {
        let near = candidates.map { (distance(word.lowercased(), $0.lowercased()), $0) }.min { $0 < $1 }
        guard let near, near.0 <= max(2, word.count / 2) else { return nil }
        return near.1
    }

    private static func distance(_ lhs: String, _ rhs: String) -> Int {
        let columns = Array(rhs)
        var previous = Array(0...columns.count)
        for (row, character) in lhs.enumerated() {
            var current = [row + 1]
            for (column, other) in columns.enumerated() {
                let replaced = previous[column] + (character == other ? 0 : 1)
                current.append(min(replaced, previous[column + 1] + 1, current[column] + 1))
            }
            previous = current
        }
        return previous[columns.count]
    }
}
