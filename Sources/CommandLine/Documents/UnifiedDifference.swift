/// What changed between two texts, line by line, as `diff -u` shows it.
struct UnifiedDifference {
    /// Unchanged lines around each change.
    static let context = 3

    fileprivate enum Line {
        case same(String)
        case removed(String)
        case added(String)
    }

    private var script: [Line] = []

    init(from old: String, to new: String) {
        let (before, after) = (Self.lines(old), Self.lines(new))
        let difference = after.difference(from: before)
        var removed: Set<Int> = []
        var added: Set<Int> = []
        for change in difference {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): added.insert(offset)
            }
        }
        var (i, j) = (0, 0)
        while i < before.count || j < after.count {
            if i < before.count, removed.contains(i) {
                script.append(.removed(before[i]))
                i += 1
            } else if j < after.count, added.contains(j) {
                script.append(.added(after[j]))
                j += 1
            } else {
                script.append(.same(after[j]))
                (i, j) = (i + 1, j + 1)
            }
        }
    }

    private static func lines(_ text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init).dropLastEmpty()
    }

    var isEmpty: Bool { !script.contains { $0.isChange } }

    /// Hunks with their headers; none for equal texts.
    func text(from oldName: String, to newName: String) -> [String] {
        guard !isEmpty else { return [] }
        return ["--- \(oldName)", "+++ \(newName)"] + hunks.flatMap(text)
    }

    /// Stretches of the script: changes with their surroundings, those that touch together.
    private var hunks: [Range<Int>] {
        var found: [Range<Int>] = []
        for index in script.indices where script[index].isChange {
            let range = max(0, index - Self.context)..<min(script.count, index + Self.context + 1)
            if let last = found.last, last.upperBound >= range.lowerBound {
                found[found.count - 1] = last.lowerBound..<range.upperBound
            } else {
                found.append(range)
            }
        }
        return found
    }

    private func text(of hunk: Range<Int>) -> [String] {
        let before = script[..<hunk.lowerBound]
        let lines = script[hunk]
        let old = Self.span(after: before.count { $0.isOld }, lines.count { $0.isOld })
        let new = Self.span(after: before.count { $0.isNew }, lines.count { $0.isNew })
        return ["@@ -\(old) +\(new) @@"] + lines.map(\.text)
    }

    /// Such as `3,7`; an empty one names the line before it.
    private static func span(after start: Int, _ count: Int) -> String {
        let first = count == 0 ? start : start + 1
        return count == 1 ? "\(first)" : "\(first),\(count)"
    }
}

extension UnifiedDifference.Line {
    fileprivate var isChange: Bool {
        if case .same = self { return false }
        return true
    }

    fileprivate var isOld: Bool {
        if case .added = self { return false }
        return true
    }

    fileprivate var isNew: Bool {
        if case .removed = self { return false }
        return true
    }

    fileprivate var text: String {
        switch self {
        case .same(let line): " " + line
        case .removed(let line): "-" + line
        case .added(let line): "+" + line
        }
    }
}

extension [String] {
    /// Without the empty line that a final line break leaves behind.
    fileprivate func dropLastEmpty() -> [String] { last == "" ? Array(dropLast()) : self }
}
