internal import AgentProtocol
public import Fleet
public import Store

/// Reads the output of a workload's part where it runs, by way of its agent's next poll.
public struct OutputReader: Sendable {
    /// Why there is nothing to read.
    public enum Failure: Error, Sendable, Equatable {
        /// Nothing runs, or nothing that keeps output.
        case nothing(String)
        /// The agent does not answer now.
        case silent(String)
    }

    private let store: any Store
    private let ids: any IDSource

    public init(store: any Store, ids: any IDSource) {
        self.store = store
        self.ids = ids
    }

    /// One piece.
    /// - Parameters:
    ///   - part: of the workload; its first when nil.
    ///   - after: position behind which to read; nil for the beginning, or the last `tailLines`.
    ///   - wait: how long to wait for output when there is none.
    /// - Throws: `Failure`, `StoreError`.
    public func read(
        workload: ID<Document>, part: String? = nil, after: Int?, tailLines: Int?, wait: Duration
    ) async throws -> LogPiece {
        let live = try await store.allocations(.workloads([workload])).filter(\.state.consumesCapacity)
        let parts = Set(live.map(\.workload.part))
        if let part, !live.isEmpty, !parts.contains(part) {
            let known = live.sorted(by: Allocation.precedesInWorkload).map(\.workload.part)
            let names = known.prefix(8).joined(separator: ", ")
            throw Failure.nothing("it has no part \(part), but \(names)")
        }
        let wanted = part ?? live.min(by: Allocation.precedesInWorkload)?.workload.part
        // The newest of several copies.
        guard let allocation = live.last(where: { $0.workload.part == wanted }),
            let host = try await store.hosts(.ids([allocation.host])).first
        else {
            throw Failure.nothing("nothing of it runs, so there is no output")
        }
        guard let session = host.session, host.contact == .ready else {
            throw Failure.silent("host \(host.name) has lost contact; its output cannot be read now")
        }
        let question = LogQuestion(
            id: ID(ids.next()), host: host.name, allocation: allocation.id, after: after,
            tailLines: tailLines, waitSeconds: wait.inSeconds)
        try await store.ask(question, session: session)
        let answer = try await answer(to: question, within: wait + .seconds(LogLimit.answerSeconds))
        guard let answer else {
            throw Failure.silent("the agent of host \(host.name) does not answer")
        }
        guard let piece = answer.piece else {
            throw Failure.nothing(answer.refusal ?? "host \(host.name) has no output of it")
        }
        return piece
    }

    private func answer(to question: LogQuestion, within limit: Duration) async throws -> LogAnswer? {
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: limit)
        var seen: UInt64 = 0
        while true {
            if let answer = try await store.takeAnswer(question.id) { return answer }
            let left = clock.now.duration(to: deadline)
            if left <= .zero { return nil }
            seen = try await store.waitForChange(
                after: seen, timeout: min(left, LogQuestions.Timing.lookEvery))
        }
    }
}
