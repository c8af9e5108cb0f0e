public import FaultLab

/// Injected faults, and the injectors that carry them out.
public protocol FaultStore: Sendable {
    /// Everything that is under way, with the version that a change of it names.
    func faultBook() async throws -> VersionedFaultBook

    /// Writes what changed of the book.
    ///
    /// - Parameters:
    ///   - version: of the book that the change was made of.
    ///   - context: nil of what injectors tell, which no audit row is written of.
    /// - Returns: false, and nothing is written, when another change came between.
    func commitFaults(
        _ change: FaultBookChange, version: Int64, context: WriteContext?
    ) async throws -> Bool

    /// Newest first, those that are over as well.
    func faults(limit: Int) async throws -> [FaultRecord]

    func fault(_ name: String) async throws -> FaultRecord?
}

public struct VersionedFaultBook: Sendable, Hashable {
    public var book: FaultBook
    public var version: Int64

    public init(book: FaultBook, version: Int64) {
        self.book = book
        self.version = version
    }
}

/// What differs between two states of the book.
public struct FaultBookChange: Sendable, Hashable {
    public var killSwitch: FaultBook.KillSwitch?
    /// Those that changed, by name; what is over leaves the book with the write.
    public var faults: [FaultRecord]
    public var injectors: [String: FaultBook.Injector]
    /// What the audit row is about.
    public var subject: String
    public var isEmpty: Bool

    public init(from old: FaultBook, to new: FaultBook, subject: String) {
        killSwitch = new.killSwitch
        faults = new.faults.values.filter { old.faults[$0.name] != $0 }.sorted { $0.name < $1.name }
        injectors = new.injectors.filter { old.injectors[$0.key] != $0.value }
        self.subject = subject
        isEmpty = faults.isEmpty && injectors.isEmpty && old.killSwitch == new.killSwitch
    }
}
