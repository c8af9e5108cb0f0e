internal import Store

extension Timekeeper {
    /// Does `work` again and again, after a failure with a rest, until the task is cancelled.
    ///
    /// - Throws: `leaseLost` as soon as `work` does; nothing else can mend that.
    func repeatUntilLeaseLost(
        _ work: () async throws -> Void, onFailure: (any Error) -> Void
    ) async throws {
        while !Task.isCancelled {
            do {
                try await work()
            } catch StoreError.leaseLost(let cell) {
                throw StoreError.leaseLost(cell: cell)
            } catch is CancellationError {
                return
            } catch {
                onFailure(error)
                try await sleep(FeedHub.retryAfter)
            }
        }
    }
}
