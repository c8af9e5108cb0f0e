internal import APITypes
internal import Control
internal import Fleet
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Store

/// Models of lifetimes: documents that come with a file, and say which pools go by them.
extension DocumentRoutes {
    func addModels(to router: some RouterMethods<APIContext>) {
        router.get("/v1/models/:name/file") { _, context in
            let model = try await self.existing(.model, context)
            guard let file = try await self.store.modelFile(model.metadata.uid) else {
                throw StoreError.notFound(kind: .model, name: model.metadata.name)
            }
            return JSONAnswer.response(file)
        }
        router.post("/v1/models/:name/promote") { request, context in
            try await self.changeModel("promote", request, context) { keeper, name, asked, write, isTrial in
                try await keeper.promote(
                    name, in: asked.scope, force: asked.force == true, context: write, isTrial: isTrial)
            }
        }
        router.post("/v1/models/:name/rollback") { request, context in
            try await self.changeModel("rollback", request, context) { keeper, name, asked, write, isTrial in
                try await keeper.takeBack(name, in: asked.scope, context: write, isTrial: isTrial)
            }
        }
    }

    /// What the file says of itself becomes the spec.
    func createModel(_ request: Request, _ context: APIContext) async throws -> Response {
        let body = try await request.body.collect(upTo: RequestLimit.modelBytes)
        let accepted = try DraftReader.model(Data(body.readableBytesView))
        let isTrial = try Self.isDryRun(request)
        let draft = DocumentDraft(
            uid: ID(ids.next()), kind: .model, name: accepted.metadata.name,
            labels: accepted.metadata.labels ?? [:], annotations: accepted.metadata.annotations ?? [:],
            spec: accepted.spec)
        let model = try await store.createModel(
            draft, file: accepted.file, lease: nil, context: write("create", context), isTrial: isTrial)
        if isTrial { return JSONAnswer.response("{\"document\":\(try JSONAnswer.document(model))}") }
        var response = try JSONAnswer.response(model, status: .created)
        response.headers[.location] = "/v1/models/\(model.metadata.name)"
        return response
    }

    private func changeModel(
        _ verb: String, _ request: Request, _ context: APIContext,
        _ change: (ModelKeeper, String, ModelVerbRequest, WriteContext, Bool) async throws -> Resource
    ) async throws -> Response {
        let asked: ModelVerbRequest = try await RequestReader.read(request)
        guard asked.cell == nil || asked.pool == nil else {
            throw Problem(
                .invalid, detail: "the request is not valid",
                causes: [
                    FieldDefect(
                        field: "cell", code: .conflict, message: "give a pool, a cell or neither, not both")
                ])
        }
        let isTrial = try Self.isDryRun(request)
        let name = try Self.name(.model, context)
        do {
            let model = try await change(
                ModelKeeper(store: store), name, asked, write(verb, context), isTrial)
            guard isTrial else { return try JSONAnswer.response(model) }
            return JSONAnswer.response("{\"document\":\(try JSONAnswer.document(model))}")
        } catch let refusal as ModelRefusal {
            throw Problem(.guardRefused, detail: refusal.message, causes: refusal.causes)
        }
    }
}

extension ModelVerbRequest {
    fileprivate var scope: ModelScope { ModelScope(cell: cell, pool: pool) }
}

extension DraftReader {
    /// A model with the file in the spelling that is kept.
    ///
    /// - Throws: `Problem` with a cause per defect, of the file the first.
    static func model(
        _ body: Data
    ) throws -> (metadata: WireDraft.Metadata, spec: String, file: String) {
        let json: JSONValue = try RequestReader.decode(body)
        let draft: WireDraft = try RequestReader.decode(body, what: Kind.model.rawValue)
        var causes = unknownFields(json) + metadataDefects(draft, kind: .model, project: nil)
        let given: ModelDraftSpec? = try decode(draft.spec, &causes)
        if let given {
            UnknownFields.find(in: draft.spec, read: given, at: "spec", into: &causes)
            causes += ModelSpec.defects(ofDescription: given.description)
        }
        var read: (spec: ModelSpec, file: String)?
        do {
            read = try given.map { given throws(ModelRefusal) in
                try ModelKeeper.read(Data(given.file.utf8), description: given.description)
            }
        } catch {
            causes += error.causes
        }
        guard causes.isEmpty, let read else {
            throw Problem(
                .invalid, detail: "Model \"\(draft.metadata.name)\" is not valid", causes: causes)
        }
        return (draft.metadata, try JSONAnswer.text(read.spec), read.file)
    }
}
