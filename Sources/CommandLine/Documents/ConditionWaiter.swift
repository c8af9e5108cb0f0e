internal import APITypes
internal import Client
internal import Fleet

/// What `wait --for` waits for.
enum AwaitedCondition: Sendable, Equatable {
    case deleted
    /// `status.state`, or `status.contact` of a host.
    case state(String)
    case condition(Condition.Aspect, Condition.Status)
    /// A field of the document; nil waits until there is one.
    case field(FieldPath, String?)

    /// Reads `deleted`, `state=Running`, `condition=Scheduled`, `condition=Ready=False` or
    /// `jsonpath=.status.host=host-1`.
    static func parse(_ text: String, kind: Kind) throws -> AwaitedCondition {
        if text.hasPrefix("jsonpath=") {
            let sides = text.dropFirst("jsonpath=".count).split(separator: "=", maxSplits: 1)
            let path = try FieldPath(String(sides.first ?? ""))
            return .field(path, sides.count == 2 ? String(sides[1]) : nil)
        }
        let parts = text.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
        switch (parts[0], parts.count) {
        case ("deleted", 1), ("delete", 1): return .deleted
        case ("state", 2): return .state(try state(parts[1], kind: kind))
        case ("condition", 2...3):
            let aspects = [Condition.Aspect.scheduled, .running, .ready]
            guard let aspect = Condition.Aspect(rawValue: parts[1]) else {
                let names = aspects.map(\.rawValue)
                throw CommandFailure(NearestChoice.refusal("condition", parts[1], among: names))
            }
            let wanted = parts.count == 3 ? parts[2] : Condition.Status.yes.rawValue
            guard let status = Condition.Status(rawValue: wanted) else {
                let names = [Condition.Status.yes, .no, .unknown].map(\.rawValue)
                throw CommandFailure(NearestChoice.refusal("status", wanted, among: names))
            }
            return .condition(aspect, status)
        default:
            throw CommandFailure(
                "\"\(text)\" cannot be waited for; write state=Running, deleted, condition=Ready or "
                    + "jsonpath=.status.host=host-1")
        }
    }

    private static func state(_ text: String, kind: Kind) throws -> String {
        let states =
            kind == .host ? HostContact.allCases.map(\.rawValue) : WorkloadState.allCases.map(\.rawValue)
        guard states.contains(text) else {
            throw CommandFailure(NearestChoice.refusal("state", text, among: states))
        }
        return text
    }

    /// - Parameter document: nil when it does not exist.
    func holds(for document: WireDocument?) -> Bool {
        switch self {
        case .deleted: document == nil
        case .state(let state):
            document?.status?["state"]?.string == state || document?.status?["contact"]?.string == state
        case .field(let path, let wanted):
            if let text = document.flatMap(path.text) { wanted == nil || wanted == text } else { false }
        case .condition(let aspect, let status):
            document?.status?["conditions"]?.array?.contains {
                $0["type"]?.string == aspect.rawValue && $0["status"]?.string == status.rawValue
            } ?? false
        }
    }
}

/// Watches one document until it is as wanted.
struct ConditionWaiter: Sendable {
    let client: RESTClient
    let collection: Collection
    let name: String

    /// - Throws: ``CommandFailure`` with status 3 when `timeout` passes first, with 1 when the document goes
    ///   away while something else is waited for.
    func wait(for condition: AwaitedCondition, timeout: Duration, _ surroundings: Surroundings) async throws {
        let sleep = surroundings.seams.sleep
        let inTime = try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await self.follow(until: condition)
                return true
            }
            group.addTask {
                try await sleep(timeout)
                return false
            }
            let first = try await group.next() ?? false
            group.cancelAll()
            return first
        }
        guard inTime else {
            let limit = DurationText.short(timeout)
            throw CommandFailure(
                "\(collection.kind.singular)/\(name) did not get there within \(limit)", status: .timedOut)
        }
    }

    private func follow(until condition: AwaitedCondition) async throws {
        var existed = false
        var steps = client.watch(collection, ListOptions(fieldSelector: "name=\(name)")).makeAsyncIterator()
        while let step = try await steps.next() {
            let document: WireDocument?
            switch step {
            case .listed(let documents): document = documents.first { $0.metadata.name == name }
            case .changed(let event):
                guard let object = event.object, object.metadata.name == name else { continue }
                document = event.type == .deleted ? nil : object
            }
            if condition.holds(for: document) { return }
            if document == nil, existed {
                throw CommandFailure(
                    "\(collection.kind.singular)/\(name) was deleted while it was waited for")
            }
            existed = existed || document != nil
        }
    }
}
