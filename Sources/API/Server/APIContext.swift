internal import Fleet
package import Hummingbird
internal import Logging
internal import Store
internal import Synchronization

/// What a request carries on its way: who asks, and the id under which its log lines are found.
package struct APIContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    package var requestID: String
    package var caller: Caller? { didSet { account.name(caller) } }
    /// Shared by all copies of this context, so that the request's log line knows who asked, and of what.
    let account = RequestAccount()
    /// Address of the client, without the port.
    package var address: String

    package init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        requestID = source.logger[metadataKey: "hb.request.id"].map { "\($0)" } ?? ""
        address = source.channel.remoteAddress?.ipAddress ?? "local"
    }

    /// The largest body of a document request; agents have their own limit.
    package var maxUploadSize: Int { RequestLimit.documentBytes }

    /// The rule of the route that was found; nil when there is none.
    func rule(for request: Request) -> RouteRule? {
        endpointPath.flatMap { RouteTable.rules[.init(request.method, $0)] }
    }
}

/// Who a request turned out to be from, and what it began.
final class RequestAccount: Sendable {
    private struct Known {
        var actor: String?
        var operation: ID<OperationRecord>?
    }

    private let known = Mutex(Known())

    var actor: String? { known.withLock(\.actor) }
    var operation: ID<OperationRecord>? { known.withLock(\.operation) }

    func name(_ caller: Caller?) {
        let actor = caller?.actor
        known.withLock { $0.actor = actor }
    }

    /// The operation that the request begins, ends or asks about.
    func note(_ operation: ID<OperationRecord>) { known.withLock { $0.operation = operation } }
}

/// Who made a request.
package enum Caller: Sendable {
    case user(UserCaller)
    case agent(AgentCaller)

    package var actor: String {
        switch self {
        case .user(let user): "user/\(user.name)"
        case .agent(let agent): "agent/\(agent.session.name)"
        }
    }

    /// Projects that the caller sees; nil is all.
    package var projects: Set<String>? {
        switch self {
        case .user(let user): user.projects
        case .agent: []
        }
    }
}

/// Bounds on requests, each with its reason.
package enum RequestLimit {
    /// A document of this size holds far more than any spec.
    package static let documentBytes = 1 << 20
    /// The file of a model as a text within a document, whose quotes count twice.
    package static let modelBytes = 2 * ModelSpec.fileLimit
    /// A hello of 10,000 hosts with 8 devices each is near 20 MB.
    package static let agentBytes = 64 << 20
    /// Documents of one page.
    package static let page = 1000
    /// Longest wait of a long-poll: below the idle time-outs of common proxies.
    package static let waitSeconds = 30.0
    /// Longest key of an idempotent request.
    package static let keyLength = 128
    /// Nesting of a JSON body.
    package static let depth = 32
    /// Path and query: a selector of 64 labels fits twice.
    package static let targetBytes = 64 << 10
    /// All headers of a request: twice what common proxies pass on.
    package static let headerBytes = 32 << 10
    package static let headers = 100
    /// Longest `X-Request-Id`: a UUID with a prefix.
    package static let requestIDLength = 64
    /// Projects that one token is bound to.
    package static let tokenProjects = 64
}
