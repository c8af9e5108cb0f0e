internal import APITypes
internal import Fleet
internal import Foundation

extension FakeControlPlane.State {
    mutating func respond(to request: TestRequest) -> TestReaction {
        guard request.headers["authorization"] == "Bearer secret" else {
            return FakeControlPlane.answer(Problem(.unauthenticated, detail: "the token is not known"))
        }
        if let answer = respondBesideDocuments(to: request) { return answer }
        if request.method == "POST" { return create(request) }
        // Collections have even depths: /v1/pools, /v1/projects/p/vms.
        if request.method == "GET", request.path.split(separator: "/").count.isMultiple(of: 2) {
            return list(request)
        }
        guard let current = documents[request.path] else {
            return FakeControlPlane.answer(Problem(.notFound, detail: "nothing is at \(request.path)"))
        }
        switch request.method {
        case "GET": return FakeControlPlane.answer(200, current)
        case "PUT", "PATCH": return replace(current, request)
        case "DELETE": return delete(current, request)
        default: return FakeControlPlane.answer(Problem(.methodNotAllowed, detail: request.method))
        }
    }

    private mutating func create(_ request: TestRequest) -> TestReaction {
        if let key = request.headers["idempotency-key"], let answer = answers[key] { return answer }
        guard let draft = FakeControlPlane.decode(WireDraft.self, request.body) else {
            return FakeControlPlane.answer(Problem(.malformedRequest, detail: "the body is no document"))
        }
        if let problem = defects(of: draft) { return FakeControlPlane.answer(problem) }
        let path = request.path + "/" + draft.metadata.name
        guard documents[path] == nil else {
            let name = draft.metadata.name
            return FakeControlPlane.answer(Problem(.alreadyExists, detail: "\"\(name)\" exists already"))
        }
        let kind = draft.kind.flatMap { Kind(rawValue: $0) } ?? .vm
        let project = request.path.split(separator: "/").dropFirst(2).first.map(String.init)
        let document = WireDocument(
            kind: kind,
            metadata: Metadata(
                name: draft.metadata.name, uid: Self.uid(version), project: kind.isTenant ? project : nil,
                labels: draft.metadata.labels ?? [:], annotations: draft.metadata.annotations ?? [:],
                createdAt: fleetTime),
            spec: draft.spec, status: kind == .vm ? .object(["state": .string("Pending")]) : nil)
        guard request.query["dryRun"] == nil else { return dryRun(document, status: 201) }
        store(document, at: path, change: .added)
        let answer = FakeControlPlane.answer(201, documents[path])
        if let key = request.headers["idempotency-key"] { answers[key] = answer }
        return answer
    }

    private func dryRun(_ document: WireDocument, status: Int) -> TestReaction {
        guard document.kind == Kind.vm.rawValue else { return FakeControlPlane.answer(status, document) }
        struct Explained: Encodable {
            var document: WireDocument
            var explanation: PlacementExplanation
        }
        let explanation = PlacementExplanation(
            hosts: 3, feasible: 1,
            rejected: [.init(reason: .hostCordoned, hosts: 1), .init(reason: .insufficientCPU, hosts: 1)],
            candidates: [.init(host: "host-1", key: ["leftover=0.25"])])
        return FakeControlPlane.answer(status, Explained(document: document, explanation: explanation))
    }

    private mutating func replace(_ current: WireDocument, _ request: TestRequest) -> TestReaction {
        if let problem = mismatch(current, request) { return FakeControlPlane.answer(problem) }
        let merged = request.method == "PATCH" ? Self.patched(current, request.body) : nil
        guard let draft = merged ?? FakeControlPlane.decode(WireDraft.self, request.body) else {
            return FakeControlPlane.answer(Problem(.malformedRequest, detail: "the body is no document"))
        }
        if let problem = defects(of: draft) { return FakeControlPlane.answer(problem) }
        var next = current
        if next.spec != draft.spec { next.metadata.generation += 1 }
        if next.metadata.labels != draft.metadata.labels ?? [:] { next.metadata.revision += 1 }
        next.spec = draft.spec
        next.metadata.labels = draft.metadata.labels ?? [:]
        next.metadata.annotations = draft.metadata.annotations ?? [:]
        guard request.query["dryRun"] == nil else { return dryRun(next, status: 200) }
        store(next, at: request.path, change: .modified)
        return FakeControlPlane.answer(200, documents[request.path])
    }

    /// The labels, annotations and first level of the spec of a merge patch on a document.
    private static func patched(_ current: WireDocument, _ body: [UInt8]) -> WireDraft? {
        guard let patch = FakeControlPlane.decode(JSONValue.self, body) else { return nil }
        func merged(_ values: [String: String], _ member: String) -> [String: String] {
            var values = values
            for (key, value) in patch["metadata"]?[member]?.object ?? [:] { values[key] = value.string }
            return values
        }
        let metadata = current.metadata
        let spec = (current.spec.object ?? [:]).merging(patch["spec"]?.object ?? [:]) { _, new in new }
        return WireDraft(
            kind: current.kind,
            metadata: .init(
                name: metadata.name, project: metadata.project, labels: merged(metadata.labels, "labels"),
                annotations: merged(metadata.annotations, "annotations")),
            spec: .object(spec))
    }

    private mutating func delete(_ current: WireDocument, _ request: TestRequest) -> TestReaction {
        if let problem = mismatch(current, request) { return FakeControlPlane.answer(problem) }
        guard request.query["dryRun"] == nil else { return dryRun(current, status: 200) }
        if current.metadata.finalizers.isEmpty {
            remove(request.path)
            return .answer(status: 204, body: [])
        }
        var next = current
        next.metadata.deletionTimestamp = fleetTime
        store(next, at: request.path, change: .modified)
        return FakeControlPlane.answer(200, next)
    }

    private func mismatch(_ current: WireDocument, _ request: TestRequest) -> Problem? {
        guard let match = request.headers["if-match"] else {
            return Problem(.preconditionRequired, detail: "If-Match is missing")
        }
        if match == "\"\(current.metadata.entityTag)\"" || (match == "*" && request.method == "DELETE") {
            return nil
        }
        return Problem(.preconditionFailed, detail: "\"\(current.metadata.name)\" has changed")
    }

    private func defects(of draft: WireDraft) -> Problem? {
        guard let members = draft.spec.object, members["bogus"] != nil else { return nil }
        let causes = [
            FieldDefect(
                field: "spec.bogus", code: .unknownField, message: "is not known; the nearest is cell"),
            FieldDefect(field: "spec.cell", code: .required, message: "name a cell"),
        ]
        return Problem(.invalid, detail: "2 fields are wrong", causes: causes)
    }

    private mutating func list(_ request: TestRequest) -> TestReaction {
        let collection = request.path
        if let since = request.query["since"].flatMap(Int.init) {
            guard since >= oldestVersion else {
                return FakeControlPlane.answer(Problem(.watchExpired, detail: "\(since) is too old"))
            }
            return watch(collection, since: since)
        }
        let all = documents.filter {
            Self.collection(of: $0.key) == collection || isOfKind($0.value, collection)
        }
        var items = all.sorted { $0.key < $1.key }.map(\.value)
        if let selector = request.query["fieldSelector"], selector.hasPrefix("name=") {
            items.removeAll { $0.metadata.name != selector.dropFirst(5) }
        }
        let start = request.query["cursor"].flatMap(Int.init) ?? 0
        // Small pages make every list with more than two documents one that must be paged.
        let page = Array(items.dropFirst(start).prefix(2))
        let next = start + page.count < items.count ? String(start + page.count) : nil
        return FakeControlPlane.answer(
            200, WireList(items: page, nextCursor: next, resourceVersion: String(version)))
    }

    /// `/v1/vms` lists those of every project.
    private func isOfKind(_ document: WireDocument, _ collection: String) -> Bool {
        Kind(rawValue: document.kind).map { "/v1/\($0.plural)" == collection } ?? false
    }

    private mutating func watch(_ collection: String, since: Int) -> TestReaction {
        let stream = TestStream()
        stream.send(": keep-alive\n\n")
        for change in changes where change.collection == collection {
            if let version = Int(change.event.resourceVersion), version > since {
                stream.send(Self.text(change.event))
            }
        }
        watchers.append((collection, stream))
        return .stream(stream)
    }

    mutating func store(_ document: WireDocument, at path: String, change: WatchEvent.Change?) {
        let isNew = documents[path] == nil
        version += 1
        var document = document
        document.metadata.resourceVersion = String(version)
        documents[path] = document
        noteVersion(document, at: path)
        publish(change ?? (isNew ? .added : .modified), document, path)
    }

    mutating func remove(_ path: String) {
        guard let document = documents.removeValue(forKey: path) else { return }
        version += 1
        publish(.deleted, document, path)
    }

    private mutating func publish(_ change: WatchEvent.Change, _ document: WireDocument, _ path: String) {
        let event = WatchEvent(type: change, resourceVersion: String(version), object: document)
        let collection = Self.collection(of: path)
        changes.append((collection, event))
        for watcher in watchers where watcher.collection == collection {
            watcher.stream.send(Self.text(event))
        }
    }

    private static func collection(of path: String) -> String {
        path.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" }
    }

    private static func text(_ event: WatchEvent) -> String {
        let data = String(decoding: FakeControlPlane.encode(event), as: UTF8.self)
        return "event: \(event.type.rawValue)\ndata: \(data)\n\n"
    }

    static func uid<Subject>(_ number: Int) -> ID<Subject> {
        let digits = String(number, radix: 16)
        let padded = String(repeating: "0", count: max(0, 12 - digits.count)) + digits
        return ID("00000000-0000-7000-8000-\(padded)")
            ?? ID(UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)))
    }
}
