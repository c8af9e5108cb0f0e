internal import APITypes
internal import Fleet
internal import Foundation
internal import Hummingbird
internal import Store

/// Bearer tokens that there are.
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
}
