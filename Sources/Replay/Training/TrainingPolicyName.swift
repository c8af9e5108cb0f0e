/// A scheduler of training jobs under the name that users give it.
public enum TrainingPolicyName: String, Sendable, Hashable, Codable, CaseIterable {
    /// Strictly in the order of submission.
    case fifo
    /// In that order, and whoever fits passes who does not.
    case fifoBackfill = "fifo-backfill"
    /// The same, but nobody delays the first that does not fit.
    case easy
    /// The same, but nobody delays anybody before it.
    case conservative
    /// The shortest first, of those that fit.
    case sjf
    case tiresias, synergy, sia, gavel, antman
    /// Rubick's rounds with submitted plan and resources.
    case rubickN = "rubick-n"
    /// With submitted resources, any plan.
    case rubickE = "rubick-e"
    /// With the submitted strategy, any resources.
    case rubickR = "rubick-r"
    case rubick

    /// Reads names separated by commas; the order is kept and repeats are dropped.
    ///
    /// - Throws: `OptionError` with the nearest valid choice.
    public static func policies(parsing text: String) throws(OptionError) -> [TrainingPolicyName] {
        var policies: [TrainingPolicyName] = []
        for name in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let policy = TrainingPolicyName(rawValue: String(name)) else {
                let known = allCases.map(\.rawValue)
                throw OptionError(
                    field: "policy", value: String(name), expected: known.joined(separator: ", "),
                    nearest: PolicyName.nearest(to: String(name), in: known))
            }
            if !policies.contains(policy) { policies.append(policy) }
        }
        return policies
    }
}
