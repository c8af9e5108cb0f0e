public import Logging
internal import NIOCore
internal import Synchronization

/// All proxies of one process.
public final class ProxyKeeper: Sendable {
    private struct Opening: Sendable {
        var proxy: FaultProxy
        var isListening: CheckedContinuation<Void, any Error>
    }

    private let proxies = Mutex<[String: FaultProxy]>([:])
    private let openings: AsyncStream<Opening>
    private let source: AsyncStream<Opening>.Continuation
    private let unit: @Sendable () -> Double
    private let logger: Logger

    /// - Parameter unit: draws from 0 up to 1: which connections a toxic hits, and jitter.
    public init(unit: @escaping @Sendable () -> Double, logger: Logger) {
        self.unit = unit
        self.logger = logger
        (openings, source) = AsyncStream.makeStream(of: Opening.self)
    }

    /// Serves all proxies until cancelled.
    public func run() async {
        await withDiscardingTaskGroup { group in
            for await opening in openings {
                group.addTask { await opening.proxy.serve(opening.isListening) }
            }
            group.cancelAll()
        }
        for proxy in all() {
            // why `try?`: it may be closed already.
            try? await proxy.disable()
        }
    }

    // MARK: -

    func all() -> [FaultProxy] { proxies.withLock { $0.values.sorted { $0.name < $1.name } } }

    func proxy(_ name: String) throws(ProxyRefusal) -> FaultProxy {
        guard let proxy = proxies.withLock({ $0[name] }) else {
            throw ProxyRefusal(.unknown, "proxy not found")
        }
        return proxy
    }

    /// Makes a proxy, and listens where it is enabled.
    @discardableResult
    func create(_ description: ProxyDescription) async throws -> FaultProxy {
        guard !description.name.isEmpty else { throw ProxyRefusal(.invalid, "missing required field: name") }
        _ = try FaultProxy.address(description.listen)
        if !description.upstream.hasPrefix("unix:") { _ = try FaultProxy.address(description.upstream) }
        let proxy = FaultProxy(description, unit: unit, logger: logger)
        let isNew = proxies.withLock { proxies in
            guard proxies[description.name] == nil else { return false }
            proxies[description.name] = proxy
            return true
        }
        guard isNew else { throw ProxyRefusal(.taken, "proxy already exists") }
        do {
            if description.enabled { try await enable(proxy) }
        } catch {
            proxies.withLock { $0[description.name] = nil }
            throw error
        }
        return proxy
    }

    func enable(_ proxy: FaultProxy) async throws {
        guard !proxy.description.enabled else { return }
        try await withCheckedThrowingContinuation { continuation in
            let opening = Opening(proxy: proxy, isListening: continuation)
            if case .terminated = source.yield(opening) {
                continuation.resume(throwing: ProxyRefusal(.invalid, "the proxies are being closed"))
            }
        }
    }

    func delete(_ name: String) async throws {
        let proxy = try proxy(name)
        proxies.withLock { $0[name] = nil }
        try await proxy.disable()
    }

    /// Enables every proxy and removes every toxic.
    func reset() async throws {
        for proxy in all() {
            proxy.toxics.all = []
            try await enable(proxy)
        }
    }
}
