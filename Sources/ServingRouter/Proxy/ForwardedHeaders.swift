internal import Fleet
internal import NIOHTTP1

/// What of a message's head goes on, and what is added.
enum ForwardedHeaders {
    /// Tells the engine that writes the answer which one read the prompt: as the sidecars of llm-d expect it.
    static let prefiller = "x-prefiller-host-port"
    /// Version of the routes by which a request came.
    static let version = "x-basalt-routes-version"
    /// Name of the replica that answered.
    static let replica = "x-basalt-replica"
    /// `prefill` on an engine's error: not it failed but the one that it was paired with.
    static let failed = "x-basalt-failed"
    static let requestID = "x-request-id"

    /// Of one connection only (RFC 9110, 7.6.1).
    private static let hopByHop: Set = [
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te",
        "trailer", "transfer-encoding", "upgrade",
    ]
    /// Said by the router; what a client says in its place would lead engines anywhere.
    private static let own: Set = [
        prefiller, version, replica, failed, "host", "content-length", "expect",
    ]

    private static func endToEnd(_ headers: HTTPHeaders, but left: Set<String>) -> HTTPHeaders {
        let named = Set(headers[canonicalForm: "connection"].map { $0.lowercased() })
        var kept = HTTPHeaders()
        kept.reserveCapacity(headers.count + 4)
        for (name, value) in headers {
            let key = name.lowercased()
            if !hopByHop.contains(key), !left.contains(key), !named.contains(key) {
                kept.add(name: name, value: value)
            }
        }
        return kept
    }

    /// Head of a request as a replica gets it.
    static func request(
        _ head: HTTPRequestHead, bytes: Int, to choice: RoutePicker.Choice, id: @autoclosure () -> String
    ) -> HTTPRequestHead {
        var headers = endToEnd(head.headers, but: own)
        headers.add(name: "host", value: choice.decode.address)
        headers.add(name: version, value: String(choice.version))
        if bytes > 0 || head.method == .POST { headers.add(name: "content-length", value: String(bytes)) }
        // What only asks for something has no prompt.
        if choice.isSplit, head.method == .POST {
            headers.add(name: prefiller, value: choice.prefill.address)
        }
        if !headers.contains(name: requestID) { headers.add(name: requestID, value: id()) }
        return HTTPRequestHead(version: .http1_1, method: head.method, uri: head.uri, headers: headers)
    }

    /// Head of an answer as the client gets it.
    static func response(
        _ head: HTTPResponseHead, from choice: RoutePicker.Choice, version: HTTPVersion, isLast: Bool
    ) -> HTTPResponseHead {
        var headers = endToEnd(head.headers, but: [replica, failed])
        headers.add(name: replica, value: choice.decode.name)
        headers.add(name: "connection", value: isLast ? "close" : "keep-alive")
        return HTTPResponseHead(version: version, status: head.status, headers: headers)
    }
}
