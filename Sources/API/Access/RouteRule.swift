internal import Fleet
package import HTTPTypes

/// What one route asks of a request before its handler sees it.
package struct RouteRule: Sendable, Hashable {
    package var grant: Grant
    /// Parameters that its query may hold; any other is refused.
    package var query: [String]
    /// Largest body in bytes.
    package var bodyLimit: Int
    package var replay: Replay

    /// What the `Idempotency-Key` of a request is good for.
    package enum Replay: Sendable, Hashable {
        /// Nothing: the route changes nothing, or has numbers of its own for repeats.
        case ignored
        /// The key is written with the document that the request creates.
        case document
        /// The answer is kept for repeats.
        case answer
        /// The answer holds a secret: a repeat is told that it was performed.
        case withheld
    }

    init(
        _ grant: Grant, query: [String] = [], bodyLimit: Int = RequestLimit.documentBytes,
        replay: Replay = .ignored
    ) {
        self.grant = grant
        self.query = query
        self.bodyLimit = bodyLimit
        self.replay = replay
    }

    /// A POST that changes something and can be tried.
    fileprivate static func verb(_ grant: Grant, replay: Replay = .answer) -> RouteRule {
        RouteRule(grant, query: ["dryRun"], replay: replay)
    }
}

/// The rules of all routes. A route that is not here is refused to everybody.
package enum RouteTable {
    package struct Key: Sendable, Hashable, Comparable, CustomStringConvertible {
        package var method: HTTPRequest.Method
        /// With `{name}` for parameters, as the router and the contract write it.
        package var path: String

        package init(_ method: HTTPRequest.Method, _ path: String) {
            self.method = method
            self.path = path
        }

        package var description: String { "\(method.rawValue) \(path)" }

        package static func < (lhs: Key, rhs: Key) -> Bool {
            (lhs.path, lhs.method.rawValue) < (rhs.path, rhs.method.rawValue)
        }
    }

    package static let rules: [Key: RouteRule] = {
        var rules = records
        for kind in Kind.allCases where kind.isDocument { rules.merge(documents(kind)) { _, last in last } }
        return rules
    }()

    /// Methods that the path of a request takes, sorted; empty when there is nothing at it.
    static func methods(at path: String) -> [HTTPRequest.Method] {
        let segments = path.split(separator: "/")
        return rules.keys.filter { key in
            let pattern = key.path.split(separator: "/")
            return pattern.count == segments.count
                && zip(pattern, segments).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }.map(\.method).sorted { $0.rawValue < $1.rawValue }
    }

    private static let page = ["cursor", "limit"]
    private static let list = page + ["fieldSelector", "labelSelector", "since", "wait", "watch"]

    /// Which objects of a kind a bound token sees, and whether it may write them.
    private static func grants(_ kind: Kind) -> (read: Grant, list: Grant, write: Grant, create: Grant) {
        switch kind {
        case .cell, .pool, .flavor:
            (.read(.catalogue), .read(.catalogue), .write(.fleet), .write(.fleet))
        case .host, .policy, .model: (.read(.fleet), .read(.fleet), .write(.fleet), .write(.fleet))
        // A quota is not the tenant's to change.
        case .project: (.read(.project), .read(.ownProjects), .write(.fleet), .write(.fleet))
        case .vm, .vmGroup, .trainingJob, .servingDeployment:
            (.read(.project), .read(.project), .write(.project), .write(.project))
        case .allocation, .plan, .operation, .event, .token:
            (.administer, .administer, .administer, .administer)
        }
    }

    private static func documents(_ kind: Kind) -> [Key: RouteRule] {
        let grants = grants(kind)
        let collection = (kind.isTenant ? "/v1/projects/{project}/" : "/v1/") + kind.plural
        let item = collection + (kind == .project ? "/{project}" : "/{name}")
        var rules: [Key: RouteRule] = [
            Key(.get, collection): RouteRule(grants.list, query: list),
            Key(.post, collection): .verb(grants.create, replay: .document),
            Key(.get, item): RouteRule(grants.read),
        ]
        for method in [HTTPRequest.Method.put, .patch, .delete] {
            rules[Key(method, item)] = RouteRule(grants.write, query: ["dryRun"])
        }
        if kind == .model {
            // Its answer is kept and not its draft, which is as large as the file.
            rules[Key(.post, collection)] = RouteRule(
                grants.create, query: ["dryRun"], bodyLimit: RequestLimit.modelBytes, replay: .answer)
        }
        if kind.keepsHistory {
            rules[Key(.get, item + "/history")] = RouteRule(grants.read, query: page)
            rules[Key(.get, item + "/history/{version}")] = RouteRule(grants.read)
            rules[Key(.post, item + "/rollback")] = .verb(grants.write)
        }
        if kind.isTenant {
            rules[Key(.get, "/v1/" + kind.plural)] = RouteRule(.read(.ownProjects), query: list)
        }
        return rules
    }

    /// Everything that is no document.
    private static let records: [Key: RouteRule] = [
        Key(.get, "/healthz"): RouteRule(.open),
        Key(.get, "/readyz"): RouteRule(.open),
        Key(.get, "/metrics"): RouteRule(.read(.fleet)),
        Key(.get, "/v1/version"): RouteRule(.open),
        Key(.get, "/v1/openapi.yaml"): RouteRule(.open),
        Key(.get, "/v1/cluster"): RouteRule(.read(.fleet)),
        Key(.get, "/v1/starts"): RouteRule(.read(.fleet), query: ["since"]),
        Key(.get, "/v1/check"): RouteRule(.read(.fleet)),
        // Writes nothing: the journals are judged and forgotten.
        Key(.post, "/v1/check"): RouteRule(.read(.fleet), bodyLimit: RequestLimit.agentBytes),
        Key(.get, "/v1/projects/{project}/vms/{name}/why"): RouteRule(.read(.project)),
        Key(.get, "/v1/projects/{project}/vmgroups/{name}/why"): RouteRule(.read(.project)),
        Key(.get, "/v1/projects/{project}/trainingjobs/{name}/why"): RouteRule(.read(.project)),
        Key(.get, "/v1/projects/{project}/servingdeployments/{name}/routes"): RouteRule(
            .read(.project), query: ["epoch", "version", "wait"]),
        // A report replaces the one before: it may come twice.
        Key(.post, "/v1/projects/{project}/servingdeployments/{name}/reports"): RouteRule(.write(.project)),
        Key(.get, "/v1/projects/{project}/servingdeployments/{name}/why"): RouteRule(.read(.project)),
        Key(.post, "/v1/hosts/{name}/cordon"): .verb(.write(.fleet)),
        Key(.post, "/v1/hosts/{name}/uncordon"): .verb(.write(.fleet)),
        Key(.get, "/v1/projects/{project}/vms/{name}/logs"): RouteRule(
            .read(.project), query: ["after", "tail", "wait"]),
        Key(.get, "/v1/projects/{project}/trainingjobs/{name}/logs"): RouteRule(
            .read(.project), query: ["after", "part", "tail", "wait"]),
        Key(.post, "/v1/hosts/{name}/drain"): .verb(.write(.fleet)),
        Key(.post, "/v1/hosts/{name}/undrain"): .verb(.write(.fleet)),
        Key(.post, "/v1/hosts/{name}/preempt"): .verb(.write(.fleet)),
        Key(.post, "/v1/hosts/{name}/fence"): .verb(.write(.fleet)),
        Key(.post, "/v1/hosts/{name}/repair"): .verb(.write(.fleet)),
        Key(.post, "/v1/hosts/{name}/repaired"): .verb(.write(.fleet)),
        Key(.get, "/v1/hosts/{name}/impact"): RouteRule(.read(.fleet), query: ["since"]),
        Key(.get, "/v1/faults/{name}/impact"): RouteRule(.read(.fleet)),
        Key(.get, "/v1/telemetry/logs"): RouteRule(
            .read(.fleet), query: TelemetryQuery.common + ["contains", "level"]),
        Key(.get, "/v1/telemetry/metrics"): RouteRule(.read(.fleet), query: TelemetryQuery.common + ["name"]),
        Key(.get, "/v1/telemetry/traces"): RouteRule(
            .read(.fleet), query: TelemetryQuery.common + ["errors", "name"]),
        Key(.get, "/v1/telemetry/events"): RouteRule(.read(.fleet), query: TelemetryQuery.common),
        Key(.get, "/v1/allocations"): RouteRule(
            .read(.ownProjects), query: page + ["fieldSelector", "since", "wait", "watch"]),
        Key(.get, "/v1/allocations/{id}"): RouteRule(.read(.ownProjects)),
        // What was found running is nobody's until somebody decides for the fleet.
        Key(.post, "/v1/allocations/{id}/adopt"): .verb(.write(.fleet)),
        Key(.post, "/v1/allocations/{id}/release"): .verb(.write(.fleet)),
        Key(.get, "/v1/oversubscription"): RouteRule(.read(.fleet), query: ["cell"]),
        Key(.get, "/v1/oversubscription/scopes/{level}/{name}"): RouteRule(.read(.fleet)),
        Key(.get, "/v1/oversubscription/scopes/{level}/{name}/risk"): RouteRule(.read(.fleet)),
        // Writes nothing.
        Key(.post, "/v1/oversubscription/scopes/{level}/{name}/what-if"): RouteRule(.read(.fleet)),
        // Tells of the host, which is everybody's.
        Key(.get, "/v1/projects/{project}/vms/{name}/oversubscription"): RouteRule(.read(.fleet)),
        Key(.get, "/v1/oversubscription/decisions"): RouteRule(
            .read(.fleet), query: ["cell", "limit", "scope", "state"]),
        Key(.get, "/v1/oversubscription/constraints"): RouteRule(.read(.fleet)),
        Key(.post, "/v1/oversubscription/constraints"): .verb(.write(.fleet)),
        Key(.post, "/v1/oversubscription/constraints/{id}/end"): .verb(.write(.fleet)),
        Key(.get, "/v1/oversubscription/reviews"): RouteRule(.read(.fleet)),
        Key(.post, "/v1/oversubscription/reviews/{id}/approve"): .verb(.write(.fleet)),
        Key(.get, "/v1/pools/{name}/defragmentation"): RouteRule(.read(.fleet)),
        // Writes nothing: it is a question with a body.
        Key(.post, "/v1/pools/{name}/trainingplan"): RouteRule(.read(.fleet)),
        Key(.get, "/v1/breakers"): RouteRule(.read(.fleet)),
        Key(.get, "/v1/faults"): RouteRule(.read(.fleet)),
        // To hurt the fleet is for administrators; to end that is for everybody who may write.
        Key(.post, "/v1/faults"): .verb(.administer),
        Key(.get, "/v1/faults/{name}"): RouteRule(.read(.fleet)),
        Key(.post, "/v1/faults/{name}/abort"): .verb(.write(.fleet)),
        Key(.post, "/v1/faults/{name}/pause"): .verb(.write(.fleet)),
        Key(.post, "/v1/faults/{name}/resume"): .verb(.administer),
        Key(.get, "/v1/faultswitch"): RouteRule(.read(.fleet)),
        Key(.post, "/v1/faultswitch/engage"): .verb(.write(.fleet)),
        Key(.post, "/v1/faultswitch/lift"): .verb(.administer),
        Key(.get, "/v1/faultinjectors"): RouteRule(.read(.fleet)),
        Key(.post, "/v1/faultinjectors/{name}/exchange"): RouteRule(
            .administer, bodyLimit: RequestLimit.agentBytes),
        Key(.post, "/v1/cells/{name}/breaker/reset"): .verb(.write(.fleet)),
        Key(.get, "/v1/events"): RouteRule(
            .read(.ownProjects), query: ["fieldSelector", "limit", "since", "wait"]),
        Key(.get, "/v1/models/{name}/file"): RouteRule(.read(.fleet)),
        Key(.post, "/v1/models/{name}/promote"): .verb(.write(.fleet)),
        Key(.post, "/v1/models/{name}/rollback"): .verb(.write(.fleet)),
        // VMs of all projects, as plans are about them.
        Key(.get, "/v1/vmhistory"): RouteRule(.read(.fleet), query: page + ["endedSince", "fieldSelector"]),
        Key(.get, "/v1/operations"): RouteRule(.read(.fleet), query: ["limit"]),
        Key(.get, "/v1/operations/{id}"): RouteRule(.read(.fleet)),
        Key(.post, "/v1/operations/{id}/cancel"): .verb(.write(.fleet)),
        Key(.get, "/v1/plans/{id}"): RouteRule(.read(.fleet)),
        Key(.get, "/v1/tokens"): RouteRule(.administer, query: page),
        Key(.post, "/v1/tokens"): .verb(.administer, replay: .withheld),
        Key(.delete, "/v1/tokens/{name}"): RouteRule(.administer, query: ["dryRun"]),
        Key(.post, "/v1/jointokens"): .verb(.write(.fleet), replay: .withheld),
        Key(.get, "/v1/audit"): RouteRule(.administer, query: page + ["fieldSelector"]),
        Key(.post, "/v1/agent/join"): RouteRule(.open, bodyLimit: RequestLimit.agentBytes),
        Key(.post, "/v1/agent/hello"): RouteRule(.agent, bodyLimit: RequestLimit.agentBytes),
        Key(.post, "/v1/agent/poll"): RouteRule(.agent, bodyLimit: RequestLimit.agentBytes),
        Key(.post, "/v1/agent/report"): RouteRule(.agent, bodyLimit: RequestLimit.agentBytes),
        Key(.post, "/v1/agent/logs"): RouteRule(.agent, bodyLimit: RequestLimit.agentBytes),
        Key(.post, "/v1/agent/usage"): RouteRule(.agent, bodyLimit: RequestLimit.agentBytes),
    ]
}
