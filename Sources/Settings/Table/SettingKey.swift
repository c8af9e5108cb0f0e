/// The settings of one program: the only list of them. Flags, variables, the file's keys and the
/// documentation come from it.
public protocol SettingKey: RawRepresentable<String>, CaseIterable, Hashable, Sendable
where AllCases == [Self] {
    /// Name of the program, in messages.
    static var program: String { get }
    /// The file that is read when none is named, if it exists.
    static var standardFile: String { get }

    var definition: SettingDefinition { get }

    /// What is wrong with values that are each valid but do not go together.
    static func conflicts(_ settings: EffectiveSettings<Self>) -> [SettingDefect<Self>]
}

/// Two values that do not go together, named at the one that should change.
public struct SettingDefect<Key: SettingKey>: Sendable {
    var key: Key
    var message: String

    public init(_ key: Key, _ message: String) {
        self.key = key
        self.message = message
    }
}

extension SettingKey {
    /// `--data-directory` for `dataDirectory`.
    public var flag: String { "--" + words.joined(separator: "-") }
    /// `BASALT_DATA_DIRECTORY` for `dataDirectory`.
    public var variable: String { "BASALT_" + words.map { $0.uppercased() }.joined(separator: "_") }

    private var words: [String] {
        var words = [""]
        for character in rawValue {
            if character.isUppercase { words.append("") }
            words[words.count - 1] += character.lowercased()
        }
        return words
    }

    /// The settings as a section of `--help`.
    public static var usage: String {
        let heading =
            "Settings, each a flag, a variable BASALT_…, or a key of the YAML file, the first that is given. "
            + "\(program) config print-default shows the file."
        let lines = allCases.flatMap { key in
            let fallback = key.definition.fallback.map { " (default: \($0))" } ?? ""
            return ["  \(key.flag) <\(key.definition.valueName)>", "      \(key.definition.help)\(fallback)"]
        }
        return ([heading] + lines).joined(separator: "\n")
    }
}
