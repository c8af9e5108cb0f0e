public import Fleet
public import VMPlacement

/// Names of policies as users type them.
public enum PolicyName {
    /// Reads `best-fit,first-fit`; the order is kept and repeats are dropped.
    ///
    /// - Throws: `OptionError` with the nearest valid choice.
    public static func policies(parsing text: String) throws(OptionError) -> [PlacementPolicy] {
        var policies: [PlacementPolicy] = []
        for name in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let policy = PlacementPolicy(rawValue: String(name)) else {
                let known = PlacementPolicy.allCases.map(\.rawValue)
                throw OptionError(
                    field: "policy", value: String(name), expected: known.joined(separator: " or "),
                    nearest: nearest(to: String(name), in: known))
            }
            if !policies.contains(policy) { policies.append(policy) }
        }
        return policies
    }

    /// The name with the fewest edits; the first of equals.
    static func nearest(to text: String, in names: [String]) -> String {
        names.min { edits($0, text) < edits($1, text) } ?? ""
    }

    /// Levenshtein distance over UTF-8.
    private static func edits(_ lhs: String, _ rhs: String) -> Int {
        let right = Array(rhs.utf8)
        var row = Array(0...right.count)
        for (index, byte) in lhs.utf8.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in right.indices {
                let replaced = diagonal + (byte == right[column] ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(replaced, row[column] + 1, diagonal + 1)
            }
        }
        return row[right.count]
    }
}
