/// Everything that is wrong with the settings, one line each.
public struct SettingsError: Error, Equatable, CustomStringConvertible {
    public var lines: [String]

    public init(_ lines: [String]) { self.lines = lines }
    public init(_ line: String) { lines = [line] }

    public var description: String { lines.joined(separator: "\n") }
}
