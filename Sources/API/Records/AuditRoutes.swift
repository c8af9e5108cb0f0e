internal import APITypes
internal import Fleet
internal import Hummingbird
internal import Store

/// The audit log, newest first.
struct AuditRoutes {
    let store: any Store

    func add(to router: some RouterMethods<APIContext>) {
        router.get("/v1/audit") { request, _ in try await self.list(request) }
    }

    private func list(_ request: Request) async throws -> Response {
        let parameters = try ListParameters(
            request, fields: ["actor", "kind", "name", "project", "refused", "verb"], takesCursor: false)
        let fields = parameters.fields
        var query = AuditQuery(
            actor: fields["actor"], verb: fields["verb"], project: fields["project"], name: fields["name"],
            before: try request.uri.queryParameters["cursor"].map { try Self.position(String($0)) },
            limit: parameters.limit)
        if let text = fields["kind"] {
            guard let kind = Kind(named: text) else {
                throw Problem(.malformedRequest, detail: "there is no kind \"\(text.prefix(80))\"")
            }
            query.kind = kind
        }
        if let text = fields["refused"] {
            guard let refused = Bool(text) else {
                throw Problem(
                    .malformedRequest,
                    detail: "refused is \"\(text.prefix(80))\"; it must be true or false")
            }
            query.refused = refused
        }
        let rows = try await store.audit(query)
        let next = rows.count == parameters.limit ? rows.last.map { String($0.id) } : nil
        return try JSONAnswer.list(
            rows.map(JSONAnswer.text), nextCursor: next,
            resourceVersion: try await store.feedPosition().text)
    }

    private static func position(_ cursor: String) throws -> Int64 {
        guard let position = Int64(cursor), position >= 0 else {
            throw Problem(.malformedRequest, detail: "the cursor is not one that a list answered")
        }
        return position
    }
}
