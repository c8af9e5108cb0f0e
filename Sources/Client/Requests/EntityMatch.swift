internal import Fleet
public import APITypes

/// Which version of a document a change is meant for: the `If-Match` header.
public enum EntityMatch: Sendable, Equatable {
    /// Whatever is there; the server takes it for DELETE only.
    case any
    /// The version with this entity tag, without quotes.
    case tag(String)

    /// The version that `document` shows.
    public static func version(of document: WireDocument) -> EntityMatch {
        .tag(document.metadata.entityTag)
    }

    var header: String {
        switch self {
        case .any: "*"
        case .tag(let tag): "\"\(tag)\""
        }
    }
}
