internal import Foundation
public import Hummingbird
public import Logging
internal import NIOCore

/// The REST interface of toxiproxy.
public struct ProxyServer: Sendable {
    private let keeper: ProxyKeeper

    /// Largest body of a request.
    private static let bodyBytes = 1 << 20
    /// What clients of toxiproxy look at: the version whose interface this is.
    private static let version = "2.9.0"

    public init(_ keeper: ProxyKeeper) { self.keeper = keeper }

    /// - Parameter onRunning: is given the port.
    public func application(
        host: String, port: Int, logger: Logger,
        onRunning: @escaping @Sendable (Int) async -> Void = { _ in }
    ) -> some ApplicationProtocol {
        Application(
            router: router(), configuration: .init(address: .hostname(host, port: port), serverName: nil),
            onServerRunning: { channel in await onRunning(channel.localAddress?.port ?? port) },
            logger: logger)
    }

    /// Makes the proxies that a configuration names.
    public func populate(_ proxies: [ProxyDescription]) async throws {
        for proxy in proxies { try await keeper.create(proxy) }
    }

    private func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.get("/version") { _, _ in try Self.json(["version": Self.version]) }
        router.post("/reset") { _, _ in
            try await Self.answer {
                try await keeper.reset()
                return Response(status: .noContent)
            }
        }
        router.post("/populate") { request, _ in
            try await Self.answer {
                let wanted: [ProxyDescription] = try await Self.read(request)
                for description in wanted {
                    if (try? keeper.proxy(description.name)) != nil {
                        try await keeper.delete(description.name)
                    }
                    try await keeper.create(description)
                }
                return try Self.json(["proxies": keeper.all().map(\.description)], status: .created)
            }
        }
        addProxies(to: router)
        addToxics(to: router)
        return router
    }

    private func addProxies(to router: Router<BasicRequestContext>) {
        router.get("/proxies") { _, _ in
            try Self.json(
                Dictionary(uniqueKeysWithValues: keeper.all().map { ($0.name, $0.description) }))
        }
        router.post("/proxies") { request, _ in
            try await Self.answer {
                let wanted: ProxyDescription = try await Self.read(request)
                return try Self.json(try await keeper.create(wanted).description, status: .created)
            }
        }
        router.get("/proxies/:proxy") { _, context in
            try await Self.answer { try Self.json(try proxy(context).description) }
        }
        for method in [HTTPRequest.Method.post, .patch] {
            router.on("/proxies/:proxy", method: method) { request, context in
                try await Self.answer { try await update(try proxy(context), request) }
            }
        }
        router.delete("/proxies/:proxy") { _, context in
            try await Self.answer {
                try await keeper.delete(try proxy(context).name)
                return Response(status: .noContent)
            }
        }
    }

    private func addToxics(to router: Router<BasicRequestContext>) {
        router.get("/proxies/:proxy/toxics") { _, context in
            try await Self.answer { try Self.json(try proxy(context).toxics.all) }
        }
        router.post("/proxies/:proxy/toxics") { request, context in
            try await Self.answer {
                let toxic: Toxic = try await Self.read(request)
                guard try proxy(context).toxics.add(toxic) else {
                    throw ProxyRefusal(.taken, "toxic already exists")
                }
                return try Self.json(toxic)
            }
        }
        router.get("/proxies/:proxy/toxics/:toxic") { _, context in
            try await Self.answer { try Self.json(try toxic(context)) }
        }
        for method in [HTTPRequest.Method.post, .patch] {
            router.on("/proxies/:proxy/toxics/:toxic", method: method) { request, context in
                try await Self.answer {
                    var changed = try toxic(context)
                    let change: ToxicChange = try await Self.read(request)
                    changed.toxicity = change.toxicity ?? changed.toxicity
                    changed.attributes.merge(change.attributes ?? [:]) { _, new in new }
                    try proxy(context).toxics.replace(changed)
                    return try Self.json(changed)
                }
            }
        }
        router.delete("/proxies/:proxy/toxics/:toxic") { _, context in
            try await Self.answer {
                try proxy(context).toxics.remove(try toxic(context).name)
                return Response(status: .noContent)
            }
        }
    }

    private struct ToxicChange: Decodable {
        var toxicity: Double?
        var attributes: [String: Int]?
    }

    private struct ProxyChange: Decodable {
        var enabled: Bool?
        var upstream: String?
    }

    private func update(_ proxy: FaultProxy, _ request: Request) async throws -> Response {
        let change: ProxyChange = try await Self.read(request)
        if let upstream = change.upstream { proxy.setUpstream(upstream) }
        if change.enabled == true { try await keeper.enable(proxy) }
        if change.enabled == false { try await proxy.disable() }
        return try Self.json(proxy.description)
    }

    // MARK: -

    private func proxy(_ context: BasicRequestContext) throws -> FaultProxy {
        try keeper.proxy(try context.parameters.require("proxy"))
    }

    private func toxic(_ context: BasicRequestContext) throws -> Toxic {
        let name = try context.parameters.require("toxic")
        guard let toxic = try proxy(context).toxics.all.first(where: { $0.name == name }) else {
            throw ProxyRefusal(.unknown, "toxic not found")
        }
        return toxic
    }

    private static func read<Value: Decodable>(_ request: Request) async throws -> Value {
        let body = try await request.body.collect(upTo: bodyBytes)
        do {
            return try JSONDecoder().decode(Value.self, from: Data(body.readableBytesView))
        } catch is DecodingError {
            throw ProxyRefusal(.invalid, "bad request body")
        }
    }

    /// Errors as toxiproxy tells them.
    private static func answer(_ body: () async throws -> Response) async throws -> Response {
        struct Failure: Encodable {
            var error: String
            var status: Int
        }
        let (status, message): (HTTPResponse.Status, String)
        do {
            return try await body()
        } catch let refusal as ProxyRefusal {
            message = refusal.message
            status =
                switch refusal.code {
                case .invalid: .badRequest
                case .unknown: .notFound
                case .taken: .conflict
                }
        } catch let error as IOError {
            (status, message) = (.internalServerError, error.description)
        }
        return try json(Failure(error: message, status: status.code), status: status)
    }

    private static func json(
        _ value: some Encodable, status: HTTPResponse.Status = .ok
    ) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text = String(decoding: try encoder.encode(value), as: UTF8.self)
        return Response(
            status: status, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}
