public import Fleet
internal import Foundation

/// A file with routes as JSON: a source for those who write it by hand, and a router's memory of the last
/// good ones.
public struct RouteFile: Sendable {
    /// Bytes of a file that is read.
    static let limit = 16 << 20

    public let path: String

    public init(path: String) { self.path = path }

    /// - Returns: nil when there is no file.
    /// - Throws: `RouteError` for one that cannot be read, is no JSON or has defects.
    public func load() throws -> ServingRoutes? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let data = try Data(contentsOf: URL(filePath: path))
        guard data.count <= Self.limit else {
            throw RouteError("\(path): \(data.count) bytes; the limit is \(Self.limit)")
        }
        let routes: ServingRoutes
        do {
            routes = try JSONDecoder().decode(ServingRoutes.self, from: data)
        } catch {
            throw RouteError("\(path): no routes: \(error)")
        }
        try Self.check(routes, path)
        return routes
    }

    /// Replaces the file whole.
    public func store(_ routes: ServingRoutes) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        try encoder.encode(routes).write(to: URL(filePath: path), options: .atomic)
    }

    static func check(_ routes: ServingRoutes, _ place: String) throws {
        let defects = routes.defects()
        guard let first = defects.first else { return }
        let more = defects.count > 1 ? " and \(defects.count - 1) more" : ""
        throw RouteError("\(place): \(first.field): \(first.message)\(more)")
    }
}

/// Follows a file: routes are those that it holds, as soon as their version is later.
public struct FileRouteSource: RouteSource {
    private let file: RouteFile
    private let interval: Duration

    /// - Parameter interval: between two looks at the file.
    public init(path: String, interval: Duration = .milliseconds(200)) {
        file = RouteFile(path: path)
        self.interval = interval
    }

    public func next(after held: ServingRoutes?) async throws -> ServingRoutes? {
        while true {
            if let found = try file.load(), held.map(found.replaces) ?? true { return found }
            try await Task.sleep(for: interval)
        }
    }
}
