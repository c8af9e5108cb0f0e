internal import APITypes
internal import Fleet
internal import Foundation

/// What a JSON body must satisfy before a recursive parser that forgives too much sees it: UTF-8, bounded
/// nesting, no name twice in an object, no U+0000, which Postgres cannot store.
///
/// Whether it is JSON at all is the parser's to say.
struct JSONText {
    private struct Container {
        /// Names seen, of an object; nil in an array.
        var names: Set<String>?
        var name = ""
        var index = 0
        var awaitsName: Bool
    }

    private let bytes: [UInt8]
    private var position = 0
    private var containers: [Container] = []

    /// - Throws: `Problem`, naming the field where there is one.
    static func check(_ body: Data) throws {
        guard String(validating: body, as: UTF8.self) != nil else {
            throw Problem(.malformedRequest, detail: "the body is not UTF-8")
        }
        var text = JSONText(bytes: Array(body))
        try text.scan()
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func scan() throws {
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "{"): try open(names: [])
            case UInt8(ascii: "["): try open(names: nil)
            case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = containers.popLast()
            case UInt8(ascii: ","): advance()
            case UInt8(ascii: ":"):
                if !containers.isEmpty { containers[containers.count - 1].awaitsName = false }
            case UInt8(ascii: "\""): try string()
            default: break
            }
        }
    }

    private mutating func open(names: Set<String>?) throws {
        containers.append(Container(names: names, awaitsName: names != nil))
        guard containers.count <= RequestLimit.depth else {
            throw Problem(
                .malformedRequest, detail: "the body is nested deeper than \(RequestLimit.depth) levels")
        }
    }

    private mutating func advance() {
        guard let last = containers.indices.last else { return }
        containers[last].index += 1
        containers[last].awaitsName = containers[last].names != nil
    }

    /// Reads to the closing quote; a string that awaits none is a name or a value.
    private mutating func string() throws {
        let start = position
        var hasEscapes = false
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
            if bytes[position] == UInt8(ascii: "\\") {
                hasEscapes = true
                if bytes[position...].starts(with: Self.escapedNull) { throw null }
                position += 1
            } else if bytes[position] == 0 {
                throw null
            }
            position += 1
        }
        let end = min(position, bytes.count)
        position += 1
        guard let last = containers.indices.last, containers[last].awaitsName else { return }
        let name = Self.name(bytes[start..<end], hasEscapes: hasEscapes)
        containers[last].name = name
        guard containers[last].names?.insert(name).inserted != false else {
            throw Problem(
                .invalid, detail: "a field is given twice",
                causes: [FieldDefect(field: path, code: .conflict, message: "is given twice")])
        }
    }

    private static let escapedNull = Array("\\u0000".utf8)

    private var null: Problem {
        Problem(
            .invalid, detail: "a text holds U+0000",
            causes: [FieldDefect(field: path, code: .invalid, message: "holds U+0000")])
    }

    /// Two spellings of one name are one name.
    private static func name(_ bytes: ArraySlice<UInt8>, hasEscapes: Bool) -> String {
        let spelling = String(decoding: bytes, as: UTF8.self)
        guard hasEscapes else { return spelling }
        // why: a name that cannot be read is refused by the parser, in its own words
        return (try? JSONDecoder().decode(String.self, from: Data("\"\(spelling)\"".utf8))) ?? spelling
    }

    private var path: String {
        containers.reduce(into: "") { text, container in
            if container.names == nil {
                text += "[\(container.index)]"
            } else {
                text += text.isEmpty ? container.name : ".\(container.name)"
            }
        }
    }
}
