internal import APITypes
internal import Fleet
internal import Foundation
internal import Hummingbird
internal import Store

/// What VMs of the fleet were and where they ran: what models learn from, and policies are tried on.
struct HistoryRoutes {
    let store: any Store

    func add(to router: some RouterMethods<APIContext>) {
        router.get("/v1/vmhistory") { request, _ in try await self.page(request) }
    }

    /// In the order of the VMs' ids, those that run among them.
    private func page(_ request: Request) async throws -> Response {
        let parameters = try ListParameters(request, fields: ["cell", "pool"], takesCursor: false)
        let query = request.uri.queryParameters
        let records = try await store.vmHistory(
            VMHistoryQuery(
                cell: parameters.fields["cell"], pool: parameters.fields["pool"],
                since: try query["endedSince"].map { try Self.time(String($0)) },
                order: .oldestFirst(after: try query["cursor"].map { try Self.position(String($0)) }),
                limit: parameters.limit + 1))
        let shown = records.prefix(parameters.limit)
        return try JSONAnswer.list(
            shown.map(JSONAnswer.text),
            nextCursor: records.count > shown.count ? shown.last?.uid.description : nil,
            resourceVersion: try await store.feedPosition().text)
    }

    private static func position(_ cursor: String) throws -> ID<Document> {
        guard let uid = ID<Document>(cursor) else {
            throw Problem(.malformedRequest, detail: "the cursor is not one that a list answered")
        }
        return uid
    }

    private static func time(_ text: String) throws -> Timestamp {
        guard let time = Timestamp(text) else {
            throw Problem(
                .malformedRequest,
                detail: "endedSince is \"\(text.prefix(80))\"; write RFC 3339, such as 2026-01-02T03:04:05Z")
        }
        // Nothing is older, and years that Postgres does not know stay away from it.
        return max(time, Timestamp(seconds: 0))
    }
}
