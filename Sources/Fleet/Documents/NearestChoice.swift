/// Finds what a user probably meant.
public enum NearestChoice {
    /// The choice with the smallest edit distance; the first of equals. Nil when none is near enough to be
    /// worth naming.
    public static func of(_ text: String, among choices: [String]) -> String? {
        let typed = text.lowercased()
        let scored = choices.map { (choice: $0, distance: distance(typed, $0.lowercased())) }
        guard let best = scored.min(by: { $0.distance < $1.distance }) else { return nil }
        return best.distance <= max(2, best.choice.count / 2) ? best.choice : nil
    }

    /// Damerau-Levenshtein distance without overlapping transpositions: a slip of two neighbouring keys is
    /// one error.
    public static func distance(_ left: String, _ right: String) -> Int {
        let a = Array(left.unicodeScalars)
        let b = Array(right.unicodeScalars)
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in 0..<a.count {
            var row = [i + 1]
            for j in 0..<b.count {
                let substitution = last[j] + (a[i] == b[j] ? 0 : 1)
                var cost = min(substitution, last[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    cost = min(cost, beforeLast[j - 1] + 1)
                }
                row.append(cost)
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }
}
