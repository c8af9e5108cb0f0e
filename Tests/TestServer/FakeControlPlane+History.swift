internal import APITypes
internal import Fleet

extension FakeControlPlane.State {
    /// Versions of a policy, newest first.
    func history(_ path: String) -> TestReaction {
        guard let versions = versions[path] else { return Self.nothing(path) }
        return FakeControlPlane.answer(
            200, WireList(items: Array(versions.reversed()), nextCursor: nil, resourceVersion: "1"))
    }

    func version(_ number: String, of path: String) -> TestReaction {
        guard let version = versions[path]?.first(where: { String($0.version) == number }) else {
            return Self.nothing("\(path)/history/\(number)")
        }
        return FakeControlPlane.answer(200, version)
    }

    mutating func rollback(_ path: String, _ request: TestRequest) -> TestReaction {
        guard let current = documents[path],
            let asked = FakeControlPlane.decode(RollbackRequest.self, request.body),
            let old = versions[path]?.first(where: { $0.version == asked.version })
        else { return Self.nothing(path) }
        guard request.headers["if-match"] == "\"\(current.metadata.entityTag)\"" else {
            return FakeControlPlane.answer(Problem(.preconditionFailed, detail: "it has changed"))
        }
        var next = current
        next.spec = old.spec
        next.metadata.generation += 1
        if request.query["dryRun"] == nil { store(next, at: path, change: .modified) }
        return FakeControlPlane.answer(200, next)
    }

    /// Keeps what a policy is now, once per generation.
    mutating func noteVersion(_ document: WireDocument, at path: String) {
        let number = document.metadata.generation
        guard document.kind == Kind.policy.rawValue, versions[path]?.last?.version != number else { return }
        versions[path, default: []].append(
            WireVersion(
                version: number, at: fleetTime.advanced(by: .seconds(60 * number)), actor: "user/ada",
                requestID: "r\(number)", verb: number == 1 ? "create" : "replace", spec: document.spec))
    }

    private static func nothing(_ path: String) -> TestReaction {
        FakeControlPlane.answer(Problem(.notFound, detail: "nothing is at \(path)"))
    }
}
