internal import APITypes
internal import Foundation
internal import Yams

/// YAML as JSON values, by the core schema of YAML 1.2: `yes`, `on` and dates are text.
enum YAMLReader {
    /// - Returns: the documents that are not empty, with their place in the stream, counted from 1.
    /// - Throws: ``CommandFailure`` that names the source, the document and the line.
    static func documents(_ text: String, name: String) throws -> [(index: Int, value: JSONValue)] {
        var found: [(Int, JSONValue)] = []
        var index = 1
        do {
            let parser = try Yams.Parser(yaml: text)
            while let node = try parser.nextRoot() {
                var nodes = nodeLimit
                let document = try value(node, depth: 0, &nodes, place: "\(name) document \(index)")
                if document != .null { found.append((index, document)) }
                index += 1
            }
        } catch let error as YamlError {
            throw failure(error, place: "\(name) document \(index)")
        }
        return found
    }

    /// Levels of nesting: as many as the server reads.
    private static let depthLimit = 32
    /// Values of one document: far above any, and below what aliases of aliases unfold to.
    private static let nodeLimit = 1_000_000

    private static func value(
        _ node: Node, depth: Int, _ nodes: inout Int, place: String
    ) throws -> JSONValue {
        nodes -= 1
        guard depth <= depthLimit else {
            throw CommandFailure("\(place), \(line(node.mark)): nested deeper than \(depthLimit) levels")
        }
        guard nodes >= 0 else {
            throw CommandFailure(
                "\(place), \(line(node.mark)): more than \(nodeLimit) values, aliases included")
        }
        switch node {
        case .scalar(let scalar): return try plain(scalar, place: place)
        case .sequence(let sequence):
            var elements: [JSONValue] = []
            for element in sequence {
                elements.append(try value(element, depth: depth + 1, &nodes, place: place))
            }
            return .array(elements)
        case .mapping(let mapping):
            var members: [String: JSONValue] = [:]
            for (key, member) in mapping {
                guard case .scalar(let name) = key else {
                    throw CommandFailure("\(place), \(line(key.mark)): a key must be text")
                }
                let read = try value(member, depth: depth + 1, &nodes, place: place)
                guard members.updateValue(read, forKey: name.string) == nil else {
                    throw CommandFailure("\(place), \(line(key.mark)): \"\(name.string)\" is given twice")
                }
            }
            return .object(members)
        case .alias:
            throw CommandFailure("\(place), \(line(node.mark)): an alias is not supported")
        }
    }

    private static func plain(_ scalar: Node.Scalar, place: String) throws -> JSONValue {
        guard scalar.style == .plain || scalar.style == .any else { return .string(scalar.string) }
        let text = scalar.string
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        default: break
        }
        guard let first = text.utf8.first,
            first == 45 || first == 43 || first == 46 || (48...57).contains(first)
        else { return .string(text) }
        if let integer = Int(text) { return .integer(integer) }
        let digits = text.utf8.allSatisfy { (48...57).contains($0) || "+-.eE".utf8.contains($0) }
        if digits, let number = Double(text), number.isFinite { return .number(number) }
        return .string(text)
    }

    private static func line(_ mark: Mark?) -> String { mark.map { "line \($0.line)" } ?? "some line" }

    private static func failure(_ error: YamlError, place: String) -> CommandFailure {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return CommandFailure("\(place), line \(mark.line): \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            let keys = duplicates.map(\.description).sorted().joined(separator: ", ")
            return CommandFailure("\(place), line \(context.mark.line): given twice: \(keys)")
        case .reader(let problem, _, _, _):
            return CommandFailure("\(place): \(problem)")
        default: return CommandFailure("\(place) is no YAML: \(error)")
        }
    }
}
