/// Distinct elements in ascending order. Inserting near the end, where time-ordered ids go, moves little.
struct SortedSet<Element: Comparable> {
    private(set) var elements: [Element] = []

    var isEmpty: Bool { elements.isEmpty }

    mutating func insert(_ element: Element) {
        let place = elements.partitioningIndex { !($0 < element) }
        guard place == elements.count || elements[place] != element else { return }
        elements.insert(element, at: place)
    }

    mutating func remove(_ element: Element) {
        let place = elements.partitioningIndex { !($0 < element) }
        guard place < elements.count, elements[place] == element else { return }
        elements.remove(at: place)
    }

    /// Elements after one, or all.
    func suffix(after element: Element?) -> ArraySlice<Element> {
        guard let element else { return elements[...] }
        return elements[elements.partitioningIndex { $0 > element }...]
    }

    /// Elements before one, or all.
    func prefix(before element: Element?) -> ArraySlice<Element> {
        guard let element else { return elements[...] }
        return elements[..<elements.partitioningIndex { !($0 < element) }]
    }
}
