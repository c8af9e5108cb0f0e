/// A part of the fleet or of what runs it, by its kind and place: `gpu/h-01/3`, `policy/placement`,
/// `path/controller<->h-04`.
public struct ComponentName: Sendable, Hashable, Comparable, CustomStringConvertible {
    public var description: String

    public init(_ text: String) {
        var rest = text[...]
        while rest.first?.isWhitespace == true { rest = rest.dropFirst() }
        while rest.last?.isWhitespace == true { rest = rest.dropLast() }
        description = String(rest)
    }

    public init(kind: String, _ path: String...) {
        description = ([kind] + path).joined(separator: "/")
    }

    /// `gpu` of `gpu/h-01/3`.
    public var kind: String { String(description.prefix { $0 != "/" }) }

    /// `h-01/3` of `gpu/h-01/3`.
    public var path: String { String(description.drop { $0 != "/" }.dropFirst()) }

    /// The host that a component stands in or ends at; nil for what belongs to no host.
    public var host: ComponentName? {
        switch kind {
        case "host", "agent", "gpu", "nic", "nvlink", "disk":
            ComponentName(kind: "host", String(path.prefix { $0 != "/" }))
        default: nil
        }
    }

    /// The names in it: `h-04` and `controller` of `path/controller<->h-04`.
    public var names: Set<String> {
        Set(
            path.replacing("<->", with: "/").replacing("->", with: "/").split(separator: "/")
                .map(String.init))
    }

    /// The hosts that a path ends at.
    var ends: [ComponentName] {
        guard ["path", "link"].contains(kind) else { return [] }
        return names.subtracting(["controller"]).sorted().map { ComponentName(kind: "host", $0) }
    }

    /// Whether two names mean the same: letters of either case do.
    public func means(_ other: ComponentName) -> Bool {
        description.lowercased() == other.description.lowercased()
    }

    public static func < (lhs: Self, rhs: Self) -> Bool { lhs.description < rhs.description }
}

extension ComponentName: Codable {
    public init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
