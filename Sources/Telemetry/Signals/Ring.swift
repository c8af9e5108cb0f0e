/// The newest elements, at most so many; older ones are gone.
struct Ring<Element: Sendable>: Sendable {
    private var elements: [Element] = []
    /// Where the next element goes once the ring is full.
    private var next = 0
    let limit: Int

    init(limit: Int) { self.limit = limit }

    /// - Returns: the element that made room.
    @discardableResult
    mutating func append(_ element: Element) -> Element? {
        guard elements.count == limit else {
            elements.append(element)
            return nil
        }
        let gone = elements[next]
        elements[next] = element
        next = (next + 1) % limit
        return gone
    }

    /// Oldest first.
    var all: [Element] { Array(elements[next...] + elements[..<next]) }

    var count: Int { elements.count }
}
