internal import APITypes
internal import ArgumentParser
internal import Client
internal import Fleet

struct GetCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Shows documents and records.")

    @Argument(
        help:
            "cells, pools, hosts, flavors, policies, projects, vms, allocations, operations, events, plans."
    )
    var kind: String
    @Argument(help: "One name, or the id of a record.")
    var name: String?
    @OptionGroup var projectOption: ProjectOption
    @Flag(name: [.customShort("A"), .long], help: "VMs of every project.")
    var allProjects = false
    @Option(name: [.customShort("l"), .customLong("selector")], help: "Labels, such as tier=web,zone!=b.")
    var labelSelector: String?
    @Option(help: "Fields, such as status.host=host-1 of VMs.")
    var fieldSelector: String?
    @Flag(name: .shortAndLong, help: "Go on showing what changes.")
    var watch = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let kind = try Kind.readable(kind)
        if watch, !kind.isDocument || name != nil {
            throw CommandFailure("-w watches a list of documents; for events use basalt events -w")
        }
        try await connection.connected(surroundings) { client, connection in
            if watch {
                try await follow(kind, client, connection, surroundings)
            } else {
                output.show(try await shown(kind, client, connection, surroundings.now()), surroundings)
            }
        }
        return .done
    }

    private var options: ListOptions {
        ListOptions(labelSelector: labelSelector, fieldSelector: fieldSelector)
    }

    private func collection(_ kind: Kind, _ connection: Connection) throws -> Collection {
        if kind.isTenant, allProjects, name == nil { return Collection(kind) }
        return try projectOption.collection(of: kind, connection)
    }

    private func shown(
        _ kind: Kind, _ client: RESTClient, _ connection: Connection, _ now: Timestamp
    ) async throws -> Presentation {
        guard kind.isDocument else {
            return try await RecordReader(client: client, now: now).presentation(
                of: kind, name: name, options)
        }
        let collection = try collection(kind, connection)
        let table = DocumentTable(kind: kind, showsProject: kind.isTenant && allProjects, now: now)
        if let name {
            return table.presentation(of: try await client.get(name, in: collection))
        }
        let listing = try await client.listAll(collection, options)
        return table.presentation(of: listing.items, resourceVersion: listing.resourceVersion)
    }

    private func follow(
        _ kind: Kind, _ client: RESTClient, _ connection: Connection, _ surroundings: Surroundings
    ) async throws {
        var stream = StreamRenderer(Renderer(output, surroundings))
        let watch = client.watch(try collection(kind, connection), options)
        var steps = watch.makeAsyncIterator()
        while let step = try await steps.next() {
            let table = DocumentTable(
                kind: kind, showsProject: kind.isTenant && allProjects, now: surroundings.now())
            switch step {
            case .listed(let documents):
                let list = table.presentation(of: documents, resourceVersion: "")
                surroundings.console.write(stream.text(of: list))
            case .changed(let event):
                guard let document = event.object else { continue }
                surroundings.console.write(stream.text(of: table.presentation(of: document)))
            }
        }
    }
}
