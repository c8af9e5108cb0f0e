import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Synchronization

/// An open loop of requests for streamed answers: each is sent when it is due, once, and its whole answer is
/// taken.
struct StreamLoad {
    /// One request; times are seconds from the start of the loop.
    struct Answer: Sendable {
        var due: Double
        /// From when it was due until the first piece of the answer came, milliseconds; nil when none came.
        var firstMs: Double?
        /// Whether the answer came to its end.
        var isWhole: Bool
        /// Whether it broke off after its first piece.
        var isCut: Bool { firstMs != nil && !isWhole }
    }

    /// More than are ever under way at once: a client that lets requests wait for a connection of its own
    /// measures itself.
    private static let connections = 4096

    let port: Int
    let perSecond: Int
    var seconds: Int
    let prompt: String
    let tokens: Int

    /// The same load, as long as that.
    func lasting(_ seconds: Int) -> Self {
        var load = self
        load.seconds = seconds
        return load
    }

    /// - Parameter at: what is done at a second of the loop, beside it.
    func run(
        at second: Double = .infinity, _ act: @escaping @Sendable () throws -> Void = {}
    ) async throws -> [Answer] {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Self.connections
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let answers: [Answer]
        do { answers = try await run(client, at: second, act) } catch {
            try await client.shutdown()
            throw error
        }
        try await client.shutdown()
        return answers
    }

    private func run(
        _ client: HTTPClient, at second: Double, _ act: @Sendable () throws -> Void
    ) async throws -> [Answer] {
        let count = perSecond * seconds
        let body = ByteBuffer(string: #"{"prompt":"\#(prompt)","max_tokens":\#(tokens),"stream":true}"#)
        let start = ContinuousClock.now
        return try await withThrowingTaskGroup(of: Answer.self) { group in
            var hasActed = false
            for number in 0..<count {
                let due = Double(number) / Double(perSecond)
                if due >= second, !hasActed {
                    try act()
                    hasActed = true
                }
                try await Task.sleep(until: start + .seconds(due), clock: .continuous)
                group.addTask { await ask(client, body, due: due, start) }
            }
            var answers: [Answer] = []
            for try await answer in group { answers.append(answer) }
            return answers.sorted { $0.due < $1.due }
        }
    }

    private func ask(
        _ client: HTTPClient, _ body: ByteBuffer, due: Double, _ start: ContinuousClock.Instant
    ) async -> Answer {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/v1/completions")
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.body = .bytes(body)
        var answer = Answer(due: due, firstMs: nil, isWhole: false)
        do {
            let response = try await client.execute(request, timeout: .seconds(60))
            guard response.status == .ok else { return answer }
            var end = ""
            for try await piece in response.body {
                if answer.firstMs == nil {
                    let now = start.duration(to: .now) / .milliseconds(1)
                    answer.firstMs = now - due * 1000
                }
                end = String((end + String(buffer: piece)).suffix(64))
            }
            answer.isWhole = end.hasSuffix("data: [DONE]\n\n")
        } catch {
            // An answer that is not whole says it all.
        }
        return answer
    }
}
