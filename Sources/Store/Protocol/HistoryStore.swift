public import Fleet

/// What documents were before, of the kinds with `keepsHistory`.
///
/// A version is written in the transaction that writes the spec, with the actor, request and verb of its
/// audit row, and is never changed. Versions go with their document: a new one of the same name begins with
/// its own.
public protocol HistoryStore: Sendable {
    /// Versions of a document, newest first.
    ///
    /// - Parameter before: older ones than this only.
    /// - Throws: `notFound`.
    func versions(of kind: Kind, project: String?, name: String, before: Int?, limit: Int) async throws
        -> [DocumentVersion]

    /// One version of a document; nil when it never had it.
    ///
    /// - Throws: `notFound` when there is no such document.
    func version(_ number: Int, of kind: Kind, project: String?, name: String) async throws
        -> DocumentVersion?
}
