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
        names.min { NearestChoice.distance($0, text) < NearestChoice.distance($1, text) } ?? ""
    }
}
