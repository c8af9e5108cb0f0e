internal import APITypes
internal import Control
internal import Fleet
internal import Foundation
internal import Hummingbird
internal import Store

/// Bearer tokens, and join tokens.
extension RecordRoutes {
    /// By name; the cursor is the last one.
    func tokens(_ request: Request) async throws -> Response {
        let parameters = try ListParameters(request, fields: [])
        let tokens = try await store.tokens(after: parameters.after?.name, limit: parameters.limit)
        let next = tokens.count == parameters.limit ? tokens.last?.name : nil
        return try JSONAnswer.list(
            tokens.map { try JSONAnswer.text(Self.summary($0)) },
            nextCursor: next.map { Data("/\($0)".utf8).base64EncodedString() },
            resourceVersion: try await store.feedPosition().text)
    }

    private static func summary(_ token: AccessToken) -> TokenSummary {
        TokenSummary(
            name: token.name, role: token.role, projects: token.projects, expiresAt: token.expiresAt)
    }

    func revokeToken(_ request: Request, _ context: APIContext) async throws -> Response {
        let name = try context.parameters.require("name")
        guard Name.defect(in: name) == nil else {
            throw StoreError.notFound(kind: .token, name: String(name.prefix(80)))
        }
        // Whoever takes away what they act with may find nobody left who can give it back.
        if context.caller?.actor == "user/\(name)" {
            throw Problem(
                .guardRefused, detail: "this request uses the token \"\(name)\"; revoke it with another one")
        }
        if try DocumentRoutes.isDryRun(request) {
            guard let token = try await token(name) else {
                throw StoreError.notFound(kind: .token, name: name)
            }
            return try JSONAnswer.response(Self.summary(token))
        }
        try await store.deleteToken(name, context: write("revoke", context))
        return Response(status: .noContent)
    }

    private func token(_ name: String) async throws -> AccessToken? {
        var after: String?
        while true {
            let page = try await store.tokens(after: after, limit: RequestLimit.page)
            if let found = page.first(where: { $0.name == name }) { return found }
            guard page.count == RequestLimit.page else { return nil }
            after = page.last?.name
        }
    }

    // MARK: Creating

    func createToken(_ request: Request, _ context: APIContext) async throws -> Response {
        let asked: TokenRequest = try await RequestReader.read(request)
        if let defect = Name.defect(in: asked.name) {
            throw Self.invalid("name", "\"\(asked.name.prefix(80))\" \(defect)")
        }
        guard asked.role != .agentSession else {
            throw Self.invalid(
                "role", "agents get their credential by joining; choose admin, operator or viewer")
        }
        if let ttl = asked.ttlSeconds, !(1...Self.longestTTL).contains(ttl) {
            throw Self.invalid("ttlSeconds", "\(ttl) is outside 1 to \(Self.longestTTL)")
        }
        let projects = try await projects(of: asked)
        let secret = secrets.next()
        let token = AccessToken(
            name: asked.name, role: asked.role, projects: projects, secretHash: Authenticator.hash(secret),
            expiresAt: asked.ttlSeconds.map { time.now().advanced(by: .seconds($0)) })
        let isTrial = try DocumentRoutes.isDryRun(request)
        try await store.createToken(token, context: write("create", context), isTrial: isTrial)
        if isTrial { return try JSONAnswer.response(Self.summary(token)) }
        return try JSONAnswer.response(
            TokenResponse(
                name: token.name, role: token.role, projects: projects, secret: secret,
                expiresAt: token.expiresAt),
            status: .created)
    }

    /// Projects that a new token is bound to, sorted: an empty list or one with a slip would bind it to less
    /// than was meant.
    private func projects(of asked: TokenRequest) async throws -> [String]? {
        guard let names = asked.projects else { return nil }
        guard asked.role != .admin else {
            throw Self.invalid("projects", "an admin reaches the whole fleet; choose operator or viewer")
        }
        guard (1...RequestLimit.tokenProjects).contains(names.count) else {
            throw Self.invalid(
                "projects", "\(names.count) projects; name 1 to \(RequestLimit.tokenProjects)")
        }
        for (index, name) in names.enumerated() {
            let isName = Name.defect(in: name) == nil
            guard isName, try await store.document(.project, project: nil, name: name) != nil else {
                throw Problem(
                    .invalid, detail: "the request is not valid",
                    causes: [
                        FieldDefect(
                            field: "projects[\(index)]", code: .notFound,
                            message: "there is no Project \"\(name.prefix(80))\"")
                    ])
            }
        }
        return Set(names).sorted()
    }

    func createJoinToken(_ request: Request, _ context: APIContext) async throws -> Response {
        let asked: JoinTokenRequest = try await RequestReader.read(request)
        guard (1...86_400).contains(asked.ttlSeconds) else {
            throw Self.invalid("ttlSeconds", "\(asked.ttlSeconds) is outside 1 to 86400")
        }
        let stem = asked.hosts.hasSuffix("*") ? String(asked.hosts.dropLast()) : asked.hosts
        let isWhole = stem.count == asked.hosts.count
        if stem.contains("*") || Name.defect(in: isWhole ? stem : stem + "0") != nil {
            throw Self.invalid(
                "hosts", "\"\(asked.hosts.prefix(80))\" is no host name, or prefix followed by *")
        }
        let secret = secrets.next()
        let isTrial = try DocumentRoutes.isDryRun(request)
        try await store.createJoinToken(
            JoinToken(
                secretHash: Authenticator.hash(secret), cell: asked.cell, pool: asked.pool,
                hostPattern: asked.hosts,
                lifetime: .seconds(asked.ttlSeconds)),
            context: write("create", context), isTrial: isTrial)
        let expiresAt = time.now().advanced(by: .seconds(asked.ttlSeconds))
        if isTrial {
            return try JSONAnswer.response(
                JoinTokenPreview(
                    cell: asked.cell, pool: asked.pool, hosts: asked.hosts, expiresAt: expiresAt))
        }
        return try JSONAnswer.response(
            JoinTokenResponse(secret: secret, expiresAt: expiresAt), status: .created)
    }

    /// Ten years in seconds; who wants longer wants no end.
    private static let longestTTL = 315_360_000

    private static func invalid(_ field: String, _ message: String) -> Problem {
        Problem(
            .invalid, detail: "the request is not valid",
            causes: [FieldDefect(field: field, code: .invalid, message: message)])
    }
}
