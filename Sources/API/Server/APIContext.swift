package import Fleet
package import Hummingbird
internal import Logging
internal import Store
internal import Synchronization

/// What a request carries on its way: who asks, and the id under which its log lines are found.
package struct APIContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    package var requestID: String
    package var caller: Caller? { didSet { account.name(caller) } }
    /// Shared by all copies of this context, so that the request's log line knows who asked.
    let account = RequestAccount()

    package init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        requestID = source.logger[metadataKey: "hb.request.id"].map { "\($0)" } ?? ""
    }

    /// The largest body of a document request; agents have their own limit.
    package var maxUploadSize: Int { RequestLimit.documentBytes }
}

/// Who a request turned out to be from.
final class RequestAccount: Sendable {
    private let known = Mutex<String?>(nil)

    var actor: String? { known.withLock { $0 } }

    func name(_ caller: Caller?) {
        let actor = caller?.actor
        known.withLock { $0 = actor }
    }
}

/// Who made a request.
package enum Caller: Sendable {
    case user(name: String, role: Role)
    case agent(AgentCaller)

    package var actor: String {
        switch self {
        case .user(let name, _): "user/\(name)"
        case .agent(let agent): "agent/\(agent.session.name)"
        }
    }
}

/// Bounds on requests, each with its reason.
package enum RequestLimit {
    /// A document of this size holds far more than any spec.
    package static let documentBytes = 1 << 20
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
}
