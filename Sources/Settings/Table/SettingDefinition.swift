internal import Foundation

/// What a setting may be and what it is for: one entry of a program's table.
public struct SettingDefinition: Sendable {
    public enum Form: Sendable, Equatable {
        /// Free text; the example stands in help.
        case text(String)
        case file
        case directory
        /// `ADDRESS:PORT`.
        case address
        case number(ClosedRange<Double>, unit: String)
        case count(ClosedRange<Int>)
        case choice([String])
    }

    public var form: Form
    /// The value when nobody sets one; nil for a setting that may be absent.
    public var fallback: String?
    /// One sentence, for help and for the documented file.
    public var help: String

    public init(_ form: Form, default fallback: String? = nil, _ help: String) {
        self.form = form
        self.fallback = fallback
        self.help = help
    }

    /// What stands for the value in help.
    public var valueName: String {
        switch form {
        case .text(let example): example
        case .file: "file"
        case .directory: "dir"
        case .address: "address:port"
        case .number(_, let unit): unit
        case .count: "count"
        case .choice(let choices): choices.joined(separator: "|")
        }
    }

    /// The valid values in words.
    public var range: String {
        switch form {
        case .text(let example): "text such as \(example)"
        case .file: "the path of a file"
        case .directory: "the path of a directory"
        case .address: "ADDRESS:PORT, such as 127.0.0.1:7443"
        case .number(let range, let unit):
            "a number from \(Self.short(range.lowerBound)) to \(Self.short(range.upperBound)) (\(unit))"
        case .count(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .choice(let choices): "one of \(choices.joined(separator: ", "))"
        }
    }

    func accepts(_ text: String) -> Bool {
        guard !text.isEmpty, !text.contains(where: \.isNewline) else { return false }
        switch form {
        case .text, .file, .directory: return true
        case .address: return NetworkAddress(text) != nil
        case .number(let range, _): return Double(text).map(range.contains) ?? false
        case .count(let range): return Int(text).map(range.contains) ?? false
        case .choice(let choices): return choices.contains(text)
        }
    }

    private static func short(_ value: Double) -> String {
        value == value.rounded() ? String(Int(value)) : "\(value)"
    }
}

/// Where to listen: an address or name, and a port; 0 takes a free one.
public struct NetworkAddress: Sendable, Equatable {
    public var host: String
    public var port: Int

    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), colon != text.startIndex,
            let port = Int(text[text.index(after: colon)...]), (0...65_535).contains(port)
        else { return nil }
        host = String(text[..<colon]).trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        self.port = port
    }

    /// Whether only this machine can reach it.
    public var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }
}
