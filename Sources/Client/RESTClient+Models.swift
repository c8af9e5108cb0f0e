public import APITypes
public import Fleet
public import Foundation

extension RESTClient {
    /// The file of a model.
    public func modelFile(_ name: String) async throws -> Data {
        try await send(.get(Collection(.model).path.appending(name).appending("file"))).body
    }

    /// Lets pools go by a model.
    public func promoteModel(_ name: String, _ request: ModelVerbRequest) async throws -> WireDocument {
        try await send(try modelCall("promote", name, request, dryRun: false), as: WireDocument.self)
    }

    /// What ``promoteModel(_:_:)`` would answer; nothing changes.
    public func dryRunPromoteModel(_ name: String, _ request: ModelVerbRequest) async throws -> DryRun {
        try Self.dryRun(try await send(try modelCall("promote", name, request, dryRun: true)))
    }

    /// Takes a promotion back; the model before it is in force again.
    public func rollbackModel(_ name: String, _ request: ModelVerbRequest) async throws -> WireDocument {
        try await send(try modelCall("rollback", name, request, dryRun: false), as: WireDocument.self)
    }

    /// What ``rollbackModel(_:_:)`` would answer; nothing changes.
    public func dryRunRollbackModel(_ name: String, _ request: ModelVerbRequest) async throws -> DryRun {
        try Self.dryRun(try await send(try modelCall("rollback", name, request, dryRun: true)))
    }

    private func modelCall(
        _ verb: String, _ name: String, _ request: ModelVerbRequest, dryRun: Bool
    ) throws -> Call {
        try .post(
            Collection(.model).path.appending(name).appending(verb), body: request,
            key: newIdempotencyKey(), dryRun: dryRun)
    }

    /// What VMs were and where they ran; fields `cell`, `pool`.
    ///
    /// - Parameter endedSince: VMs that ended before this fleet time are left out.
    public func vmHistory(
        _ options: ListOptions = .init(), endedSince: Timestamp? = nil
    ) async throws -> Listing<VMHistoryRecord> {
        try await everyPage(
            of: APIPath("vmhistory"), options,
            also: endedSince.map { [("endedSince", $0.description)] } ?? [])
    }
}
