import Fleet
import Store

/// One store under test, with the hands on it that the protocol does not give: its clock and its
/// transactions.
///
/// Every harness is a fresh, empty store whose clock stands at `Scene.start` and moves by `advance` only.
protocol StoreHarness: Sendable {
    var store: any Store { get }

    func advance(by duration: Duration) async throws

    /// Returns when every transaction that was running has ended, but for those that the test holds: from
    /// then on readers of the feed see all that was written before.
    func settle() async throws

    /// Opens a transaction that has its number and stays open beside the calls.
    func holdTransaction() async throws -> any HeldTransaction

    /// Runs a commit up to behind its lease check; nil where calls run alone, so that nothing can come
    /// between.
    func holdCommit(_ commit: LedgerCommit) async throws -> (any HeldCommit)?
}

/// A transaction that is open while others begin and end.
protocol HeldTransaction: Sendable {
    /// Creates documents in it and commits it.
    func finish(creating drafts: [DocumentDraft], context: WriteContext) async throws -> [Resource]
}

/// A ledger commit that stands between its lease check and its COMMIT. It must be finished.
protocol HeldCommit: Sendable {
    func finish() async throws -> CommitOutcome
}
