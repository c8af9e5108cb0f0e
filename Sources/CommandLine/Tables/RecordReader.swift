internal import APITypes
internal import Client
internal import Fleet

/// Reads what is no document for `get`.
struct RecordReader {
    let client: RESTClient
    let now: Timestamp

    func presentation(of kind: Kind, name: String?, _ options: ListOptions) async throws -> Presentation {
        let tables = RecordTables(now: now)
        switch kind {
        case .allocation:
            var listing = try await client.allocations(options)
            if let name {
                listing.items.removeAll { $0.id.description != name.lowercased() }
                guard !listing.items.isEmpty else { throw CommandFailure("no allocation \"\(name)\"") }
            }
            return try tables.allocations(listing.items, resourceVersion: listing.resourceVersion)
        case .operation:
            if let name { return try tables.operation(try await client.operation(try id(name, kind))) }
            let listing = try await client.operations(options)
            return try tables.operations(listing.items, resourceVersion: listing.resourceVersion)
        case .event:
            let page = try await client.events(options)
            return try tables.events(page.items, resourceVersion: page.resourceVersion)
        case .plan:
            guard let name else { throw CommandFailure("plans are read one by one: basalt get plan ID") }
            return try PlanDescription(try await client.plan(try id(name, kind))).presentation
        case .cell, .pool, .host, .flavor, .policy, .model, .project, .vm, .vmGroup, .trainingJob,
            .servingDeployment, .token:
            throw CommandFailure("\(kind.plural) cannot be read as records")
        }
    }

    private func id<Subject>(_ text: String, _ kind: Kind) throws -> ID<Subject> {
        guard let id = ID<Subject>(text) else {
            throw CommandFailure("\"\(text)\" is no id of \(kind.plural); ids look like \(Self.example)")
        }
        return id
    }

    private static let example = "01890a5d-ac96-774b-bcce-b302099a8057"
}
