internal import APITypes
internal import Fleet

/// Finds members of a JSON object that its type does not read.
enum UnknownFields {
    /// - Parameter value: what was decoded; its stored properties are the known names.
    static func find(in json: JSONValue, read value: Any, at path: String, into causes: inout [FieldDefect]) {
        switch json {
        case .object(let members):
            guard let fields = fields(of: value) else { return }
            let prefix = path.isEmpty ? "" : path + "."
            causes += FieldDefect.unknown(in: json, known: fields.keys.sorted(), at: prefix)
            for (name, member) in members.sorted(by: { $0.key < $1.key }) {
                if let field = fields[name] {
                    find(in: member, read: field, at: prefix + name, into: &causes)
                }
            }
        case .array(let elements):
            let read = Array(Mirror(reflecting: unwrapped(value)).children)
            guard read.count == elements.count else { return }
            for (index, element) in elements.enumerated() {
                find(in: element, read: read[index].value, at: "\(path)[\(index)]", into: &causes)
            }
        default: return
        }
    }

    /// Stored properties by name; nil for dictionaries, where every key is known.
    private static func fields(of value: Any) -> [String: Any]? {
        let mirror = Mirror(reflecting: unwrapped(value))
        guard mirror.displayStyle == .struct else { return nil }
        return Dictionary(
            mirror.children.compactMap { child in child.label.map { ($0, child.value) } },
            uniquingKeysWith: { first, _ in first })
    }

    private static func unwrapped(_ value: Any) -> Any {
        let mirror = Mirror(reflecting: value)
        guard mirror.displayStyle == .optional, let child = mirror.children.first else { return value }
        return unwrapped(child.value)
    }
}
