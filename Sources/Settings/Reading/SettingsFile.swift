internal import Fleet
internal import Yams

/// A YAML file of settings: one mapping of keys to single values.
struct SettingsFile<Key: SettingKey> {
    private(set) var values: [Key: (text: String, line: Int)] = [:]
    private(set) var defects: [String] = []

    init(text: String, path: String) {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            defects = [Self.sentence(error, path)]
            return
        }
        // A file of comments only sets nothing.
        guard let root, root.scalar.map({ !Self.isEmpty($0) }) ?? true else { return }
        guard let mapping = root.mapping else {
            defects = ["\(path): must be a mapping of settings to values"]
            return
        }
        for (name, value) in mapping {
            let line = name.mark?.line ?? 0
            guard let key = name.string.flatMap(Key.init(rawValue:)) else {
                let nearest = NearestChoice.of(name.string ?? "", among: Key.allCases.map(\.rawValue))
                defects.append(
                    "\(path):\(line): \"\(name.string ?? "")\" is not a setting"
                        + (nearest.map { "; did you mean \"\($0)\"?" } ?? ""))
                continue
            }
            guard let scalar = value.scalar, !Self.isEmpty(scalar) else {
                defects.append(
                    "\(path):\(line): \(key.rawValue) has no single value; write \(key.definition.range)")
                continue
            }
            values[key] = (scalar.string, line)
        }
    }

    private static func isEmpty(_ scalar: Node.Scalar) -> Bool {
        scalar.style == .plain && ["", "~", "null"].contains(scalar.string)
    }

    private static func sentence(_ error: any Error, _ path: String) -> String {
        switch error {
        case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
            YamlError.composer(_, let problem, let mark, _):
            "\(path):\(mark.line): not YAML: \(problem)"
        case YamlError.duplicatedKeysInMapping(let duplicates, let context):
            "\(path):\(context.mark.line): set twice: \(duplicates.sorted().joined(separator: ", "))"
        default: "\(path): not YAML"
        }
    }
}
