internal import APITypes
internal import Crypto
internal import FaultLab
public import Fleet
internal import Foundation
public import Logging

/// Keeps the sessions and batches of a server, and runs their programs.
public actor SessionHost {
    public struct Parts: Sendable {
        /// Program that is run for each session and batch, and what comes before its arguments.
        public var program: String
        /// Folder of what becomes of sessions.
        public var folder: String
        /// Who has it may ask for sessions and see everything; nil lets everyone.
        public var operatorToken: String?
        public var ids: any IDSource
        public var now: @Sendable () -> Timestamp
        /// Makes bearer secrets; at least 128 random bits in printable ASCII.
        public var secret: @Sendable () -> String
        public var logger: Logger

        public init(
            program: String, folder: String, operatorToken: String?, ids: any IDSource,
            now: @escaping @Sendable () -> Timestamp, secret: @escaping @Sendable () -> String,
            logger: Logger
        ) {
            self.program = program
            self.folder = folder
            self.operatorToken = operatorToken
            self.ids = ids
            self.now = now
            self.secret = secret
            self.logger = logger
        }
    }

    /// Sessions at once: each is a fleet in a process.
    private static let mostLive = 8
    /// Sessions that are remembered without their folders.
    private static let mostRemembered = 10_000

    nonisolated let archive: SessionArchive
    nonisolated let pool: ProblemPool
    nonisolated let parts: Parts
    private let jobs: AsyncStream<Job>
    private let queue: AsyncStream<Job>.Continuation
    private var live: [String: LiveSession] = [:]
    private var ended: [String: SessionCard] = [:]
    private var tokenHashes: [String: String] = [:]
    private var batches: [String: BatchCard] = [:]

    private enum Job: Sendable {
        case session(LiveSession, SessionOrder)
        case batch(String, BatchRequest, agents: [String])
    }

    /// - Throws: when the folder cannot be made, or the catalogue is damaged.
    public init(_ parts: Parts) throws {
        self.parts = parts
        archive = try SessionArchive(path: parts.folder)
        pool = try ProblemPool.seed()
        (jobs, queue) = AsyncStream.makeStream()
        for entry in archive.entries().suffix(Self.mostRemembered) {
            ended[entry.card.id] = entry.card
            tokenHashes[entry.card.id] = entry.tokenHash
        }
        for id in archive.batches {
            guard let open = archive.openBatch(id) else { continue }
            let done = archive.agents(ofBatch: id)
            let left = open.request.agents.filter { !done.contains($0) && !open.failed.contains($0) }
            batches[id] = BatchCard(
                id: id, state: left.isEmpty ? .done : .running, agents: open.request.agents, done: done,
                failed: open.failed)
            guard !left.isEmpty else { continue }
            parts.logger.notice("batch goes on", metadata: ["batch": "\(id)", "agents": "\(left.count)"])
            queue.yield(.batch(id, open.request, agents: left))
        }
    }

    /// Runs programs until it is cancelled; those that run then are ended.
    public func run() async {
        await withDiscardingTaskGroup { group in
            for await job in jobs {
                group.addTask { await self.perform(job) }
            }
            group.cancelAll()
        }
    }

    private nonisolated func perform(_ job: Job) async {
        switch job {
        case .session(let session, let order):
            await program(["session"]).run(session, order)
            await over(session)
        case .batch(let id, let request, let agents):
            for agent in agents {
                let answer = await program(request.arguments(agent)).answer()
                // A run that the end of the server cut short is played again by the next one.
                if Task.isCancelled { return }
                await took(answer, batch: id, request, agent: agent)
            }
            await finished(batch: id)
        }
    }

    private nonisolated func program(_ arguments: [String]) -> SessionProgram {
        SessionProgram(path: parts.program, arguments: arguments, logger: parts.logger)
    }

    // MARK: - Sessions

    /// - Returns: the session, and the secret that its agent acts with.
    func create(_ request: SessionRequest) async throws -> (card: SessionCard, token: String) {
        guard live.count < Self.mostLive else {
            throw Problem(.rateLimited, detail: "\(Self.mostLive) sessions are under way; end one first.")
        }
        let id = parts.ids.next().uuidString.lowercased()
        let session = LiveSession(request, id: id, at: parts.now())
        live[id] = session
        let card = await session.card
        let token = parts.secret()
        tokenHashes[id] = Self.hash(token)
        do {
            try archive.note(card, tokenHash: Self.hash(token))
        } catch {
            live[id] = nil
            throw error
        }
        queue.yield(.session(session, request.order(folder: archive.folder(of: id).path)))
        return (card, token)
    }

    private func over(_ session: LiveSession) async {
        let card = await session.card
        live[session.id] = nil
        ended[session.id] = card
        do {
            try archive.note(card, tokenHash: tokenHashes[session.id] ?? "")
        } catch {
            parts.logger.warning("session not noted", metadata: ["error": "\(error)"])
        }
    }

    /// - Throws: `Problem`: there is no such session, or it is over.
    func session(_ id: String) throws(Problem) -> LiveSession {
        if let session = live[id] { return session }
        guard let card = ended[id] else { throw Self.unknown(id) }
        throw Problem(.guardRefused, detail: "The session is over: \(card.state.rawValue).")
    }

    func card(_ id: String) async throws -> SessionCard {
        if let session = live[id] { return await session.card }
        guard let card = ended[id] else { throw Self.unknown(id) }
        return card
    }

    /// The newest first.
    func cards() async -> [SessionCard] {
        var cards = Array(ended.values)
        for session in live.values { cards.append(await session.card) }
        return cards.sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }
    }

    private static func unknown(_ id: String) -> Problem {
        Problem(.notFound, detail: "There is no session \"\(id.prefix(64))\".")
    }

    /// What became of a session.
    ///
    /// - Throws: `Problem`: it is not over, or has no result.
    func result(_ id: String) async throws -> SessionResult {
        let card = try await card(id)
        guard card.state.isOver else {
            throw Problem(.guardRefused, detail: "The session is not over; what became of it is told then.")
        }
        guard card.state == .done, let result = archive.result(of: id) else {
            throw Problem(.notFound, detail: "The session has no result: it is \(card.state.rawValue).")
        }
        return result
    }

    // MARK: - Who may

    /// Whether a bearer token is the operator's; anyone's when there is none to have.
    nonisolated func isOperator(_ token: String?) -> Bool {
        guard let wanted = parts.operatorToken else { return true }
        return token.map { Self.hash($0) == Self.hash(wanted) } ?? false
    }

    /// Whether a token lets its bearer act in a session.
    func mayAct(_ token: String?, in session: String) -> Bool {
        if isOperator(token) { return true }
        guard let token, let hash = tokenHashes[session] else { return false }
        return Self.hash(token) == hash
    }

    /// Hashes are compared, whose first difference tells nothing of the secret.
    private static func hash(_ secret: String) -> String {
        SHA256.hash(data: Data(secret.utf8)).map { String($0, radix: 16) }.joined(separator: ".")
    }

    // MARK: - Batches

    /// - Throws: when it cannot be noted; nothing is done of it then.
    func create(_ request: BatchRequest) throws -> BatchCard {
        let id = parts.ids.next().uuidString.lowercased()
        try archive.note(SessionArchive.OpenBatch(request: request, failed: []), id: id)
        let card = BatchCard(id: id, state: .running, agents: request.agents, done: [], failed: [])
        batches[id] = card
        queue.yield(.batch(id, request, agents: request.agents))
        return card
    }

    private func took(_ answer: Data?, batch: String, _ request: BatchRequest, agent: String) {
        guard let answer, (try? JSONDecoder().decode(SuiteResult.self, from: answer)) != nil,
            (try? archive.keep(answer, batch: batch, agent: agent)) != nil
        else {
            batches[batch]?.failed.append(agent)
            do {
                let failed = batches[batch]?.failed ?? []
                try archive.note(SessionArchive.OpenBatch(request: request, failed: failed), id: batch)
            } catch {
                parts.logger.warning("batch not noted", metadata: ["error": "\(error)"])
            }
            return
        }
        batches[batch]?.done.append(agent)
    }

    private func finished(batch: String) { batches[batch]?.state = .done }

    func batch(_ id: String) throws(Problem) -> BatchAnswer {
        if var card = batches[id] {
            card.done.sort()
            return BatchAnswer(card: card, results: archive.results(ofBatch: id))
        }
        // Of a former server: what it has finished is there.
        guard archive.batches.contains(id) else {
            throw Problem(.notFound, detail: "There is no batch \"\(id.prefix(64))\".")
        }
        let results = archive.results(ofBatch: id)
        let agents = results.map(\.totals.agent)
        return BatchAnswer(
            card: BatchCard(id: id, state: .done, agents: agents, done: agents, failed: []), results: results)
    }
}
