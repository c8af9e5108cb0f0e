/// Who said what a value is.
public enum SettingOrigin: Sendable, Equatable, CustomStringConvertible {
    case fallback
    case file(path: String, line: Int)
    case variable(String)
    case flag(String)

    public var description: String {
        switch self {
        case .fallback: "default"
        case .file(let path, let line): "\(path):\(line)"
        case .variable(let name): "$\(name)"
        case .flag(let name): name
        }
    }
}
