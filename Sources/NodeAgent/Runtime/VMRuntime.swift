/// Runs virtual machines on the hosts of one session.
///
/// The rules that keep a part from running twice:
/// - an allocation is started at most once. A second `start` of a known allocation changes nothing;
/// - a start is on disk before anything runs, so that `parts` after a crash tells the truth;
/// - an ended part stays in `parts` until `forget`;
/// - the runtime itself (its shims) ends `onPartition: stop` parts at the deadline of the last `renew`, also
///   while no agent runs, and starts none past it.
public protocol VMRuntime: Sendable {
    /// Name of the substrate, such as `simulated`.
    var substrate: String { get }

    /// Everything that runs or ended and was not forgotten, sorted by key. The agent adopts it.
    func parts() async throws(RuntimeError) -> [RuntimePart]

    /// Accepts the start; `changes` tells how it went.
    func start(_ start: PartStart) async throws(RuntimeError)

    /// Accepts the stop of a part; `changes` tells when it ended. Stopping an ended part changes nothing.
    func stop(_ key: PartKey) async throws(RuntimeError)

    /// Drops ended parts from `parts`.
    func forget(_ keys: [PartKey]) async throws(RuntimeError)

    /// Moves the fence deadlines. Returns at once; a runtime that cannot note it keeps the earlier deadline.
    func renew(_ renewal: LeaseRenewal)

    /// Waits for changes since the last call. One reader at a time; a reader that may have missed some asks
    /// `parts` again.
    /// - Throws: `CancellationError`, or what keeps the runtime from being watched.
    func changes() async throws -> RuntimeChanges
}
