public import Fleet

/// A document as it travels: `apiVersion, kind, metadata, spec, status`.
public struct WireDocument: Sendable, Hashable, Codable {
    public static let apiVersion = "basalt/v1"

    public var apiVersion: String
    public var kind: String
    public var metadata: Metadata
    public var spec: JSONValue
    public var status: JSONValue?

    public init(kind: Kind, metadata: Metadata, spec: JSONValue, status: JSONValue?) {
        apiVersion = Self.apiVersion
        self.kind = kind.rawValue
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

/// What a user sends to create or replace a document; the server fills in the rest of the metadata.
public struct WireDraft: Sendable, Hashable, Codable {
    public var apiVersion: String?
    public var kind: String?
    public var metadata: Metadata
    public var spec: JSONValue

    public init(kind: String?, metadata: Metadata, spec: JSONValue) {
        apiVersion = WireDocument.apiVersion
        self.kind = kind
        self.metadata = metadata
        self.spec = spec
    }

    /// The part of the metadata that a user may write.
    public struct Metadata: Sendable, Hashable, Codable {
        public var name: String
        public var project: String?
        public var labels: [String: String]?
        public var annotations: [String: String]?

        public init(
            name: String, project: String? = nil, labels: [String: String]? = nil,
            annotations: [String: String]? = nil
        ) {
            self.name = name
            self.project = project
            self.labels = labels
            self.annotations = annotations
        }
    }
}

/// One page of a list. A watch from `resourceVersion` misses nothing.
public struct WireList<Item: Sendable & Codable>: Sendable, Codable {
    public var items: [Item]
    /// Pass as `cursor` for the next page; absent on the last.
    public var nextCursor: String?
    public var resourceVersion: String

    public init(items: [Item], nextCursor: String?, resourceVersion: String) {
        self.items = items
        self.nextCursor = nextCursor
        self.resourceVersion = resourceVersion
    }
}

/// One element of a watch, by SSE (`data:` line) or in the array of a long-poll.
public struct WatchEvent: Sendable, Codable {
    public enum Change: String, Sendable, Codable, CaseIterable {
        case added = "ADDED"
        case modified = "MODIFIED"
        case deleted = "DELETED"
        /// Nothing happened up to this version.
        case bookmark = "BOOKMARK"
    }

    public var type: Change
    /// Resume from here.
    public var resourceVersion: String
    public var object: WireDocument?

    public init(type: Change, resourceVersion: String, object: WireDocument?) {
        self.type = type
        self.resourceVersion = resourceVersion
        self.object = object
    }
}

/// Answer of a long-poll watch.
public struct WatchBatch: Sendable, Codable {
    public var events: [WatchEvent]
    public var resourceVersion: String

    public init(events: [WatchEvent], resourceVersion: String) {
        self.events = events
        self.resourceVersion = resourceVersion
    }
}
