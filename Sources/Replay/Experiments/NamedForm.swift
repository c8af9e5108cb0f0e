/// What users choose from by name, such as a policy with its numbers.
public protocol NamedForm: Sendable, Hashable {
    /// What can be typed: a word, and what comes after colons in capitals.
    static var forms: [String] { get }
    /// The form that is offered when no word is like the one typed.
    static var usualForm: String { get }
    /// What the text stands for.
    associatedtype Meaning
    /// - Returns: nil for a text of none of the forms.
    static func meaning(_ text: String) -> Meaning?
    init(text: String, policy: Meaning)
}

extension NamedForm {
    /// - Throws: `OptionError` with the nearest form.
    public init(parsing text: String) throws(OptionError) {
        guard let policy = Self.meaning(text) else {
            let word = String(text.prefix { $0 != ":" })
            let words = Self.forms.map { String($0.prefix { $0 != ":" }) }
            let nearest = PolicyName.nearest(to: word, in: words)
            throw OptionError(
                field: "policy", value: text, expected: Self.forms.joined(separator: ", "),
                nearest: zip(words, Self.forms).first { $0.0 == nearest }?.1 ?? Self.usualForm)
        }
        self.init(text: text, policy: policy)
    }

    /// Reads names separated by commas; the order is kept and repeats are dropped.
    public static func policies(parsing text: String) throws(OptionError) -> [Self] {
        var policies: [Self] = []
        for name in text.split(separator: ",", omittingEmptySubsequences: false) {
            let policy = try Self(parsing: String(name))
            if !policies.contains(policy) { policies.append(policy) }
        }
        return policies
    }
}
