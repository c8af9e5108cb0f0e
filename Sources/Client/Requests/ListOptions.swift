/// Which items of a list are wanted.
public struct ListOptions: Sendable, Equatable {
    /// Items of one page; the server's default when nil, at most ``largestPage``.
    public var limit: Int?
    /// Where the last page ended.
    public var cursor: String?
    /// Such as `tier=web,zone!=b`.
    public var labelSelector: String?
    /// Such as `host=host-1`.
    public var fieldSelector: String?

    /// The server's bound on one page.
    public static let largestPage = 1000

    public init(
        limit: Int? = nil, cursor: String? = nil, labelSelector: String? = nil, fieldSelector: String? = nil
    ) {
        self.limit = limit
        self.cursor = cursor
        self.labelSelector = labelSelector
        self.fieldSelector = fieldSelector
    }

    var query: [(name: String, value: String)] {
        let pairs = [
            ("limit", limit.map(String.init)), ("cursor", cursor), ("labelSelector", labelSelector),
            ("fieldSelector", fieldSelector),
        ]
        return pairs.compactMap { name, value in value.map { (name, $0) } }
    }
}

/// A list read to its end.
public struct Listing<Item: Sendable>: Sendable {
    public var items: [Item]
    /// That of the first page: a watch from here repeats changes made while paging and misses none.
    public var resourceVersion: String

    public init(items: [Item], resourceVersion: String) {
        self.items = items
        self.resourceVersion = resourceVersion
    }
}
