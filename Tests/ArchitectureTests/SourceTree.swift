import Foundation

/// The Swift sources of the package, as text.
struct SourceTree {
    struct File {
        /// Module that the file belongs to.
        var module: String
        /// From the package's root.
        var path: String
        var lines: [String]
    }

    let root: URL
    let files: [File]

    init() throws {
        root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let sources = root.appending(path: "Sources")
        var found: [File] = []
        let paths = try FileManager.default.subpathsOfDirectory(atPath: sources.path)
        for path in paths.sorted() where path.hasSuffix(".swift") {
            let text = try String(contentsOf: sources.appending(path: path), encoding: .utf8)
            let module = path.split(separator: "/").first.map(String.init) ?? ""
            found.append(
                File(module: module, path: "Sources/\(path)", lines: text.components(separatedBy: "\n")))
        }
        files = found
    }

    /// Modules that each module imports.
    var imports: [String: Set<String>] {
        var found: [String: Set<String>] = [:]
        for file in files {
            for line in file.lines {
                if let name = Self.imported(line) { found[file.module, default: []].insert(name) }
            }
        }
        return found
    }

    /// The module that a line imports; nil when it imports none.
    static func imported(_ line: String) -> String? {
        var words = line.split(whereSeparator: \.isWhitespace)[...]
        while let word = words.first,
            ["public", "package", "internal", "private", "fileprivate"].contains(word)
                || word.hasPrefix("@")
        {
            words = words.dropFirst()
        }
        guard words.first == "import" else { return nil }
        words = words.dropFirst()
        if let kind = words.first,
            ["struct", "class", "enum", "protocol", "func", "typealias", "let", "var"].contains(kind)
        {
            words = words.dropFirst()
        }
        return words.first?.split(separator: ".").first.map(String.init)
    }
}
