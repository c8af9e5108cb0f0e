internal import APITypes
internal import Fleet
internal import Hummingbird
internal import Store

/// Whom incidents hit.
struct ImpactRoutes {
    let store: any Store

    func add(to router: some RouterMethods<APIContext>) {
        let reader = ImpactReader(store: store)
        router.get("/v1/hosts/:name/impact") { request, context in
            let name = try context.parameters.require("name")
            guard let resource = try await store.document(.host, project: nil, name: name),
                let host = try await store.hosts(.ids([resource.metadata.uid])).first
            else { throw StoreError.notFound(kind: .host, name: name) }
            return try JSONAnswer.response(
                try await reader.impact(ofHost: host, since: try Self.since(request)))
        }
        router.get("/v1/faults/:name/impact") { _, context in
            let name = try context.parameters.require("name")
            guard let fault = try await store.fault(name) else {
                throw Problem(.notFound, detail: "there is no fault \"\(name.prefix(80))\"")
            }
            return try JSONAnswer.response(try await reader.impact(of: fault))
        }
    }

    private static func since(_ request: Request) throws -> Timestamp? {
        guard let text = request.uri.queryParameters["since"] else { return nil }
        guard let time = Timestamp(String(text)) else {
            throw Problem(
                .invalid, detail: "the query is not valid",
                causes: [
                    FieldDefect(
                        field: "since", code: .invalid,
                        message: "\"\(text.prefix(80))\" is no time; write it such as 2026-06-01T08:00:00Z")
                ])
        }
        return time
    }
}
