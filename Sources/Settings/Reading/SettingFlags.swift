internal import Fleet

/// The settings among a program's arguments, apart from everything else.
public struct SettingFlags<Key: SettingKey>: Sendable, Equatable {
    /// As given; the last of several counts.
    public private(set) var values: [Key: String] = [:]
    /// `--config FILE`.
    public var file: String?
    /// Subcommands and their own flags.
    public private(set) var rest: [String] = []

    /// - Throws: `SettingsError` when a flag lacks its value.
    public init(_ arguments: [String]) throws(SettingsError) {
        let keys = Dictionary(uniqueKeysWithValues: Key.allCases.map { ($0.flag, $0) })
        var left = arguments[...]
        while let argument = left.popFirst() {
            if argument == "--" {
                rest += [argument] + left
                return
            }
            let sides = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let flag = String(sides[0])
            let key = keys[flag]
            guard key != nil || flag == "--config" else {
                rest.append(argument)
                continue
            }
            let value = sides.count == 2 ? String(sides[1]) : left.popFirst()
            guard let value, sides.count == 2 || !value.hasPrefix("--") else {
                throw SettingsError("\(flag) needs a value: \(key?.definition.range ?? "the path of a file")")
            }
            if let key { values[key] = value } else { file = value }
        }
    }

    /// The setting that an unknown flag probably means.
    public static func nearest(to flag: String) -> String? {
        NearestChoice.of(flag, among: Key.allCases.map(\.flag) + ["--config"])
    }
}
