internal import AgentProtocol
internal import APITypes
internal import Control
internal import Fleet
internal import Foundation
internal import Hummingbird
internal import Store

/// The output of workloads, piece by piece: a follower asks for the next piece with a wait, at any
/// controller.
struct LogRoutes {
    let store: any Store
    let reader: OutputReader

    func add(to router: some RouterMethods<APIContext>) {
        for kind in [Kind.vm, .trainingJob] {
            let path = RouterPath(stringLiteral: "/v1/projects/:project/\(kind.plural)/:name/logs")
            router.get(path) { request, context in try await self.read(kind, request, context) }
        }
    }

    private func read(_ kind: Kind, _ request: Request, _ context: APIContext) async throws -> Response {
        let project = try context.parameters.require("project")
        let name = try context.parameters.require("name")
        let query = request.uri.queryParameters
        let after = try Self.number("after", query["after"], in: 0...Int.max)
        let tail = try Self.number("tail", query["tail"], in: 0...LogLimit.tailLines)
        let wait = try Self.number("wait", query["wait"], in: 0...Int(LogLimit.waitSeconds)) ?? 0
        guard let workload = try await store.document(kind, project: project, name: name) else {
            throw StoreError.notFound(kind: kind, name: name)
        }
        do {
            return try JSONAnswer.response(
                try await reader.read(
                    workload: workload.metadata.uid, part: query["part"].map(String.init), after: after,
                    tailLines: tail, wait: .seconds(wait)))
        } catch OutputReader.Failure.nothing(let why) {
            throw Problem(.notFound, detail: "\(kind.rawValue) \"\(name)\": \(why)")
        } catch OutputReader.Failure.silent(let why) {
            throw Problem(.unavailable, detail: "\(kind.rawValue) \"\(name)\": \(why)")
        }
    }

    private static func number(
        _ name: String, _ text: Substring?, in range: ClosedRange<Int>
    ) throws -> Int? {
        guard let text else { return nil }
        guard let value = Int(text), range.contains(value) else {
            throw Problem(
                .malformedRequest,
                detail: "\(name) is \"\(text)\", not from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }
}
