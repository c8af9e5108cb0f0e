internal import APITypes
internal import Fleet
internal import Foundation
internal import Hummingbird
internal import Store

/// What documents were before, and the way back, of the kinds that keep their history.
extension DocumentRoutes {
    func addHistory(_ kind: Kind, to group: RouterGroup<APIContext>) {
        group.get(":name/history") { request, context in
            try await self.history(kind, request, context)
        }
        group.get(":name/history/:version") { _, context in
            let version = try await self.version(try Self.number(context), kind, context)
            return try JSONAnswer.response(try WireVersion(version))
        }
        group.post(":name/rollback") { request, context in
            try await self.rollback(kind, request, context)
        }
    }

    /// Newest first.
    private func history(_ kind: Kind, _ request: Request, _ context: APIContext) async throws -> Response {
        let parameters = try ListParameters(request, fields: [], takesCursor: false)
        let versions = try await store.versions(
            of: kind, project: try Self.project(kind, context), name: try Self.name(kind, context),
            before: try request.uri.queryParameters["cursor"].map { try Self.position(String($0)) },
            limit: parameters.limit)
        // Versions count from 1, without gaps.
        let next = versions.last.flatMap { $0.version > 1 ? String($0.version) : nil }
        return try JSONAnswer.list(
            versions.map { try JSONAnswer.text(WireVersion($0)) }, nextCursor: next,
            resourceVersion: try await store.feedPosition().text)
    }

    private static func position(_ cursor: String) throws -> Int {
        guard let position = Int(cursor), position > 0 else {
            throw Problem(.malformedRequest, detail: "the cursor is not one that a list answered")
        }
        return position
    }

    private static func number(_ context: APIContext) throws -> Int {
        let text = try context.parameters.require("version")
        guard let number = Int(text), number > 0 else {
            throw Problem(.notFound, detail: "\"\(text.prefix(80))\" is not the number of a version")
        }
        return number
    }

    private func version(_ number: Int, _ kind: Kind, _ context: APIContext) async throws -> DocumentVersion {
        let name = try Self.name(kind, context)
        let found = try await store.version(
            number, of: kind, project: try Self.project(kind, context), name: name)
        guard let found else {
            throw Problem(.notFound, detail: "\(kind.rawValue) \"\(name)\" has no version \(number)")
        }
        return found
    }

    /// Writes the spec of a version again. The rules of today hold for it, as for any other spec.
    private func rollback(_ kind: Kind, _ request: Request, _ context: APIContext) async throws -> Response {
        let asked: RollbackRequest = try await RequestReader.read(request)
        let name = try Self.name(kind, context)
        let old = try await store.version(
            asked.version, of: kind, project: try Self.project(kind, context), name: name)
        guard let old else {
            throw Problem(
                .invalid, detail: "the request is not valid",
                causes: [
                    FieldDefect(
                        field: "version", code: .notFound,
                        message: "\(kind.rawValue) \"\(name)\" has no version \(asked.version)")
                ])
        }
        var causes: [FieldDefect] = []
        let json = try JSONDecoder().decode(JSONValue.self, from: Data(old.spec.utf8))
        let spec = try DraftReader.spec(json, kind: kind, causes: &causes)
        guard causes.isEmpty else {
            throw Problem(
                .invalid, detail: "version \(asked.version) is not valid any more", causes: causes)
        }
        return try await update(kind, request, context, verb: "rollback") { resource in
            try Self.checkImmutable(kind, from: resource.spec, to: spec)
            resource.spec = spec
        }
    }
}

extension WireVersion {
    fileprivate init(_ version: DocumentVersion) throws {
        self.init(
            version: version.version, at: version.at, actor: version.actor, requestID: version.requestID,
            verb: version.verb,
            spec: try JSONDecoder().decode(JSONValue.self, from: Data(version.spec.utf8)))
    }
}
