import APITypes
import Foundation
import Testing
import Yams

@testable import API

/// `openapi.yaml`, read once.
enum ParsedContract {
    static let root = Result { try YAMLTree.parse(Contract.text) }
}

/// A parsed YAML document as JSON.
enum YAMLTree {
    static func parse(_ text: String) throws -> JSONValue { try value(try Yams.load(yaml: text)) }

    private static func value(_ any: Any?) throws -> JSONValue {
        switch any {
        case nil, is NSNull: .null
        case let bool as Bool: .bool(bool)
        case let integer as Int: .integer(integer)
        case let number as Double: .number(number)
        case let string as String: .string(string)
        case let list as [Any]: .array(try list.map(value))
        case let members as [String: Any]: .object(try members.mapValues(value))
        default: throw Unreadable(what: String(describing: any))
        }
    }

    struct Unreadable: Error { var what: String }
}

extension JSONValue {
    /// What `$ref: "#/…"` refers to; the value itself when it refers to nothing.
    func resolved(in root: JSONValue) throws -> JSONValue {
        guard let reference = self["$ref"]?.string else { return self }
        return try reference.dropFirst(2).split(separator: "/").reduce(root) { node, key in
            try #require(node[String(key)], "\(reference) leads nowhere")
        }
    }
}
