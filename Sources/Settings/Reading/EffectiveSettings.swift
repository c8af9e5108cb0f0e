internal import Foundation

/// The values in force, each with who said so: a flag beats the environment, which beats the file, which
/// beats the default.
public struct EffectiveSettings<Key: SettingKey>: Sendable {
    struct Entry: Sendable, Equatable {
        var text: String
        var origin: SettingOrigin
    }

    private(set) var entries: [Key: Entry] = [:]

    /// - Parameters:
    ///   - file: text and path of the file; nil without one.
    ///   - fallbacks: defaults of this start, in place of the table's.
    /// - Throws: `SettingsError` with a line for every defect.
    public init(
        file: (text: String, path: String)? = nil, environment: [String: String] = [:],
        flags: [Key: String] = [:], fallbacks: [Key: String] = [:]
    ) throws(SettingsError) {
        var defects: [String] = []
        let read = file.map { SettingsFile<Key>(text: $0.text, path: $0.path) }
        defects += read?.defects ?? []
        for key in Key.allCases {
            var given: [Entry] = []
            let fallback = fallbacks[key] ?? key.definition.fallback
            if let text = fallback { given.append(Entry(text: text, origin: .fallback)) }
            if let file, let value = read?.values[key] {
                given.append(Entry(text: value.text, origin: .file(path: file.path, line: value.line)))
            }
            if let text = environment[key.variable], !text.isEmpty {
                given.append(Entry(text: text, origin: .variable(key.variable)))
            }
            if let text = flags[key] { given.append(Entry(text: text, origin: .flag(key.flag))) }
            for entry in given where !key.definition.accepts(entry.text) {
                defects.append(
                    "\(entry.origin): \(key.rawValue) is \"\(entry.text)\"; write \(key.definition.range)")
            }
            entries[key] = given.last
        }
        guard defects.isEmpty else { throw SettingsError(defects) }
        let conflicts = Key.conflicts(self)
        guard conflicts.isEmpty else {
            throw SettingsError(
                conflicts.map { "\(origin(of: $0.key)): \($0.key.rawValue): \($0.message)" })
        }
    }

    /// Reads the named file, or the standard one when there is one.
    public static func load(
        _ flags: SettingFlags<Key>, environment: [String: String], fallbacks: [Key: String] = [:]
    ) throws(SettingsError) -> EffectiveSettings {
        let path = flags.file ?? Key.standardFile
        var file: (text: String, path: String)?
        if flags.file != nil || FileManager.default.fileExists(atPath: path) {
            do {
                file = (try String(contentsOfFile: path, encoding: .utf8), path)
            } catch {
                throw SettingsError("\(path): cannot be read")
            }
        }
        return try EffectiveSettings(
            file: file, environment: environment, flags: flags.values,
            fallbacks: fallbacks)
    }

    public func origin(of key: Key) -> SettingOrigin { entries[key]?.origin ?? .fallback }

    /// The value as written; nil for one that nobody set.
    public func text(_ key: Key) -> String? { entries[key]?.text }

    public func number(_ key: Key) -> Double? { entries[key].flatMap { Double($0.text) } }

    public func count(_ key: Key) -> Int? { entries[key].flatMap { Int($0.text) } }

    public func address(_ key: Key) -> NetworkAddress? { entries[key].flatMap { NetworkAddress($0.text) } }

    /// A file's contents without the white space around them, for secrets.
    ///
    /// - Throws: `SettingsError` naming setting and file, never the contents.
    public func contents(_ key: Key) throws(SettingsError) -> String? {
        guard let entry = entries[key] else { return nil }
        do {
            let text = try String(contentsOfFile: entry.text, encoding: .utf8)
            return text.trimmingCharacters(in: .whitespacesAndNewlines)
        } catch {
            throw SettingsError("\(entry.origin): \(key.rawValue): \(entry.text) cannot be read")
        }
    }
}
