import Foundation

/// `--name value` pairs.
struct BenchmarkOptions {
    private var values: [String: String] = [:]

    init(_ arguments: ArraySlice<String>) throws {
        var rest = arguments
        while let name = rest.popFirst() {
            guard name.hasPrefix("--"), let value = rest.popFirst() else {
                throw BenchmarkError("\"\(name)\" is not an option with a value, such as --rounds 7")
            }
            values[String(name.dropFirst(2))] = value
        }
    }

    func text(_ name: String, default standard: String) -> String { values[name] ?? standard }

    func number(_ name: String, default standard: Int, atLeast minimum: Int) throws -> Int {
        guard let text = values[name] else { return standard }
        guard let number = Int(text), number >= minimum else {
            throw BenchmarkError("--\(name): \"\(text)\" given, a whole number from \(minimum) on expected")
        }
        return number
    }
}

struct BenchmarkError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

enum StandardError {
    static func write(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }
}
