/// Elements by due time, equal times in the order of insertion: a binary heap, so one timer serves any
/// number.
struct DeadlineQueue<Element> {
    struct Entry {
        var due: MonotonicTime
        var order: Int
        var element: Element

        func isBefore(_ other: Entry) -> Bool {
            due == other.due ? order < other.order : due < other.due
        }
    }

    private var heap: [Entry] = []
    private var inserted = 0

    var count: Int { heap.count }
    var nextDue: MonotonicTime? { heap.first?.due }

    mutating func insert(_ element: Element, due: MonotonicTime) {
        heap.append(Entry(due: due, order: inserted, element: element))
        inserted += 1
        var child = heap.count - 1
        while child > 0, heap[child].isBefore(heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Takes the first element when it is due at `now`.
    mutating func popFirst(through now: MonotonicTime) -> Entry? {
        guard let first = heap.first, first.due <= now else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child].isBefore(heap[least]) { least = child }
            }
            if least == parent { return first }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}

extension DeadlineQueue: Sendable where Element: Sendable {}
extension DeadlineQueue.Entry: Sendable where Element: Sendable {}
